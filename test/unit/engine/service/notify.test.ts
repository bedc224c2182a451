import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keepTelling } from '../../../../src/engine/service/notify.js';

/** A systemd-notify that writes down what it is told. */
async function fakeNotify() {
  const directory = await mkdtemp(join(tmpdir(), 'kubewright-notify-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const said = join(directory, 'said');
  await writeFile(join(directory, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${said}\n`, {
    mode: 0o755,
  });
  return {
    path: `${directory}${delimiter}${process.env.PATH}`,
    lines: async () => (await readFile(said, 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
  };
}

describe('the supervisor', () => {
  it('hears that the service takes work, that it lives, and that it ends', async () => {
    const { path, lines } = await fakeNotify();
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    keepTelling({ NOTIFY_SOCKET: '/run/it', PATH: path }, ending.signal, 50);
    await expect.poll(lines).toContain('/run/it --ready');
    await expect
      .poll(async () => (await lines()).filter((line) => line.endsWith('WATCHDOG=1')).length)
      .toBeGreaterThan(2);
    ending.abort();
    await expect.poll(lines).toContain('/run/it STOPPING=1');
  });

  it('hears nothing where nobody asked to be told', async () => {
    const { path, lines } = await fakeNotify();
    const ending = new AbortController();
    keepTelling({ PATH: path }, ending.signal, 1);
    keepTelling({ NOTIFY_SOCKET: '/run/it', PATH: path }, ending.signal, 3_600_000);
    await expect.poll(lines).toEqual(['/run/it --ready']);
    ending.abort();
  });
});
