import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askAgent } from '../../../../lab/hosts/carriers/guest/agent.js';
import { runByAgent } from '../../../../lab/hosts/carriers/guest/scripts.js';

interface Request {
  execute: string;
  arguments: Record<string, unknown>;
}

let directory: string;
let path: string;
let server: Server;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-test-'));
  path = join(directory, 'agent');
});
afterEach(async () => {
  if (server?.listening) await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

/** As qemu-ga behaves: a line for each command, a mark before the answer to a sync; undefined is no answer. */
async function agent(answer: (request: Request) => object | undefined, greeting = ''): Promise<Request[]> {
  const asked: Request[] = [];
  const serve = (socket: Socket): void => {
    socket.write(greeting);
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const request = JSON.parse(line.replace('\xff', '')) as Request;
        if (request.execute === 'guest-sync-delimited') {
          socket.write(Buffer.from(`\xff{"return": ${request.arguments.id}}\n`, 'latin1'));
          continue;
        }
        asked.push(request);
        const reply = answer(request);
        if (reply) socket.write(`${JSON.stringify(reply)}\n`);
      }
    });
  };
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return asked;
}

describe('one question', () => {
  test('is answered, whatever an earlier one left on the line', async () => {
    const asked = await agent(() => ({ return: { version: '9' } }), '"half": 1}\n{"return": 7}\n{"ret');
    expect(await askAgent(path, 'guest-info', { a: 1 }, 5_000)).toEqual({ version: '9' });
    expect(asked).toEqual([{ execute: 'guest-info', arguments: { a: 1 } }]);
  });

  test('is refused with the agent’s words', async () => {
    await agent(() => ({ error: { class: 'CommandNotFound', desc: 'has been disabled' } }));
    await expect(askAgent(path, 'guest-exec', {}, 5_000)).rejects.toMatchObject({
      code: 'KW635',
      message: "The guest's agent refused guest-exec: has been disabled.",
    });
  });

  test('is not answered: nobody there, or silence', async () => {
    expect(await askAgent(path, 'guest-ping', {}, 5_000)).toBeUndefined();
    await agent(() => undefined);
    expect(await askAgent(path, 'guest-ping', {}, 50)).toBeUndefined();
  });
});

describe('a script', () => {
  const options = { timeoutMs: 5_000 };

  test('runs once, with its input, and ends in the guest when its time is over', async () => {
    let looks = 0;
    const asked = await agent(({ execute }) => {
      if (execute === 'guest-ping') return { return: {} };
      if (execute === 'guest-exec') return { return: { pid: 42 } };
      const data = (text: string) => Buffer.from(text).toString('base64');
      const ended = { exited: true, exitcode: 3, 'out-data': data('größe\n\n'), 'err-data': data('bad\n') };
      return { return: ++looks < 3 ? { exited: false } : ended };
    });
    const result = await runByAgent(path, 'w-1', 'cat; exit 3', { ...options, input: 'in' });
    expect(result).toMatchObject({ exitCode: 3, stdout: 'größe\n', stderr: 'bad', timedOut: false });
    expect(asked.filter(({ execute }) => execute === 'guest-exec')).toEqual([
      {
        execute: 'guest-exec',
        arguments: {
          path: '/usr/bin/timeout',
          arg: ['--kill-after=5', '5', 'bash', '-c', 'cat; exit 3'],
          env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8', 'HOME=/root'],
          'capture-output': true,
          'input-data': Buffer.from('in').toString('base64'),
        },
      },
    ]);
    expect(asked.filter(({ execute }) => execute === 'guest-exec-status').at(-1)?.arguments).toEqual({ pid: 42 });
  });

  test('waits for an agent that starts late', async () => {
    const result = runByAgent(path, 'w-1', 'true', options);
    await askAgent(path, 'guest-ping', {}, 50);
    await agent(({ execute }) => {
      if (execute === 'guest-ping') return { return: {} };
      return { return: execute === 'guest-exec' ? { pid: 1 } : { exited: true, exitcode: 0 } };
    });
    expect(await result).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('of a guest that was started anew meanwhile is an error that says so', async () => {
    await agent(({ execute }) => {
      if (execute === 'guest-ping') return { return: {} };
      if (execute === 'guest-exec') return { return: { pid: 42 } };
      return { error: { class: 'GenericError', desc: 'PID 42 does not exist' } };
    });
    await expect(runByAgent(path, 'w-1', 'reboot', options)).rejects.toMatchObject({ code: 'KW637', host: 'w-1' });
  });

  test('of a guest that does not answer is an error that says so', async () => {
    await expect(runByAgent(path, 'w-1', 'true', { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'KW634',
      host: 'w-1',
    });
  });
});
