import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { flushed } from '../../../src/commands/support/flushed.js';

/** A reader that takes nothing before it is told to, at the other end of a real pipe, which holds 64 KiB. */
function slowReader() {
  const reader = spawn(
    process.execPath,
    [
      '-e',
      `process.on('message', () => {
      let bytes = 0;
      process.stdin.on('data', (chunk) => { bytes += chunk.length; }).on('end', () => { process.send(bytes); process.disconnect(); });
    }); process.send('up')`,
    ],
    { stdio: ['pipe', 'inherit', 'inherit', 'ipc'] },
  );
  if (reader.stdin === null) throw new Error('no pipe');
  return { reader, stdin: reader.stdin };
}

test('a slow reader gets everything before the process ends', async () => {
  const { reader, stdin } = slowReader();
  await once(reader, 'message');
  stdin.write('x'.repeat(300_000));
  let done = false;
  const flush = flushed(stdin).then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  reader.send('read');
  await flush;
  stdin.end();
  expect((await once(reader, 'message'))[0]).toBe(300_000);
});

test('a reader that has gone away is not waited for', async () => {
  const { reader, stdin } = slowReader();
  await once(reader, 'message');
  stdin.on('error', () => undefined);
  stdin.destroy();
  reader.kill();
  await flushed(stdin);
});
