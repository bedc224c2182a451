import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Channel, Connection } from '../../../src/hosts/connection/types.js';
import { SshHost } from '../../../src/hosts/host.js';
import type { Upload } from '../../../src/hosts/types.js';

let directory: string;
let file: Upload;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-at-once-'));
  await writeFile(join(directory, 'x'), 'x');
  const sha256 = createHash('sha256').update('x').digest('hex');
  file = { source: join(directory, 'x'), target: '/opt/x', sha256, size: 1, mode: 0o644 };
});
afterAll(() => rm(directory, { recursive: true }));

/** A host that takes a script and says nothing until it is told to end. */
function silentHost(name: string, begun: Map<string, () => void>): SshHost {
  const exec = async () => {
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const channel = Object.assign(stream, {
      stderr: new PassThrough(),
      close: () => void stream.emit('close', undefined),
      signal: () => undefined,
    }) as unknown as Channel;
    begun.set(name, () => {
      stream.push('end\n');
      setImmediate(() => stream.emit('close', 0));
    });
    stream.push('kubewright-ready\n');
    return { channel, live: { user: 'root', lost: undefined, learned: new Map() } };
  };
  const ready = async () => ({ user: 'root', lost: undefined, learned: new Map() });
  const connection: Connection = { host: name, label: name, exec, ready, close: async () => undefined };
  return new SshHost(name, '10.0.0.1', connection, { password: undefined, variable: null });
}

test('one process uploads to a few hosts at a time; the others wait, say so, and can be given up', async () => {
  const begun = new Map<string, () => void>();
  const words: string[] = [];
  const abort = new AbortController();
  const names = Array.from({ length: 12 }, (_, index) => `w-${index}`);
  const uploads = names.map((name, index) =>
    silentHost(name, begun).upload([file], {
      signal: index === 9 ? abort.signal : undefined,
      onProgress: (line) => words.push(line),
    }),
  );
  await vi.waitFor(() => expect(begun.size).toBe(8));
  expect(words).toEqual(Array(4).fill('waiting for 8 other uploads of this worker'));
  const reason = new Error('given up');
  abort.abort(reason);
  await expect(uploads[9]).rejects.toBe(reason);
  // Each that ends makes room for one that waits, never for the one that was given up.
  const ended = new Set<string>();
  while (ended.size < 11) {
    await vi.waitFor(() => expect([...begun.keys()].some((name) => !ended.has(name))).toBe(true));
    for (const [name, end] of begun) {
      if (!ended.has(name)) end();
      ended.add(name);
    }
  }
  await Promise.all(uploads.filter((_, index) => index !== 9));
  expect([...begun.keys()].sort()).toEqual(names.filter((name) => name !== 'w-9').sort());
});

test('a second upload to the same host takes no place from other hosts while it waits', async () => {
  const begun = new Map<string, () => void>();
  const host = silentHost('cp-1', begun);
  const both = [host.upload([file]), host.upload([file])];
  const others = Array.from({ length: 7 }, (_, index) => silentHost(`w-${index}`, begun).upload([file]));
  await vi.waitFor(() => expect(begun.size).toBe(8));
  const first = begun.get('cp-1');
  for (const end of begun.values()) end();
  await vi.waitFor(() => expect(begun.get('cp-1')).not.toBe(first));
  begun.get('cp-1')?.();
  await Promise.all([...both, ...others]);
});
