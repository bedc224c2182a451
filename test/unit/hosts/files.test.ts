import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readFile as readRemote, writeFile as writeRemote } from '../../../src/hosts/files/small-files.js';
import { missingUploads, upload } from '../../../src/hosts/files/upload.js';
import { PACE } from '../../../src/hosts/files/upload-scripts.js';
import type { Upload } from '../../../src/hosts/types.js';
import { FakeDisk } from './fake-disk.js';

let disk: FakeDisk;

beforeEach(async () => {
  disk = await FakeDisk.create();
});
afterEach(() => disk.remove());

async function file(name: string, content: Buffer): Promise<Upload> {
  const source = disk.path(name);
  await writeFile(source, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { source, target: disk.path(`opt/${name}`), sha256, size: content.length, mode: 0o755 };
}

describe('an upload', () => {
  test('arrives whole, whatever its size, and is not sent again', async () => {
    const files = [
      await file('large', randomBytes(5_000_001)),
      await file('small', Buffer.from('x')),
      await file('empty', Buffer.alloc(0)),
    ];
    expect(await upload(disk.uploads(), files)).toBe(5_000_002);
    for (const { source, target } of files) {
      expect((await readFile(target)).equals(await readFile(source))).toBe(true);
      expect((await stat(target)).mode & 0o777).toBe(0o755);
    }
    expect(await upload(disk.uploads(), files)).toBe(0);
    expect((await readdir(disk.path('opt'))).sort()).toEqual(['empty', 'large', 'small']);
  });

  test('whose worker fell silent in the middle frees the host by itself, and goes on where it stopped', async () => {
    disk.silenceSeconds = 1;
    const large = await file('large', randomBytes(400_000));
    const silent = upload(disk.uploads(250_000), [large]).catch((error: unknown) => error);
    expect(await silent).toMatchObject({ code: 'KW413', transient: true, host: 'cp-1' });
    const sent = await upload(disk.uploads(), [large]);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(large.size);
    expect((await readFile(large.target)).equals(await readFile(large.source))).toBe(true);
  });

  test('whose worker fell silent before it had said what it brings, too', async () => {
    disk.silenceSeconds = 1;
    const one = await file('one', randomBytes(10));
    await expect(upload(disk.uploads(20), [one])).rejects.toMatchObject({ code: 'KW413', transient: true });
    expect(await upload(disk.uploads(), [one])).toBe(10);
  });

  test('that waits for another one says so, and gets its turn when that one has fallen silent', async () => {
    disk.silenceSeconds = 1;
    const [one, two] = [await file('one', randomBytes(300_000)), await file('two', randomBytes(10))];
    const lines: string[] = [];
    const silent = upload(disk.uploads(100_000), [one], { onProgress: (line) => lines.push(line) });
    const failed = expect(silent).rejects.toMatchObject({ code: 'KW413' });
    while (!lines.some((line) => line.startsWith('uploading'))) await new Promise((resolve) => setImmediate(resolve));
    const waits: string[] = [];
    expect(await upload(disk.uploads(), [two], { onProgress: (line) => waits.push(line) })).toBe(10);
    expect(waits[0]).toBe('waiting for another upload to this host');
    await failed;
  });

  test('keeps what a person had put there under another name, and says so; its own earlier file it replaces', async () => {
    const theirs = disk.path('opt/kubectl');
    await writeFile(theirs, 'their own kubectl');
    const kept: [string, string][] = [];
    const onBackup = (path: string, copy: string) => kept.push([path, copy]);
    await upload(disk.uploads(), [await file('kubectl', Buffer.from('one'))], { onBackup });
    expect(kept).toEqual([[theirs, expect.stringMatching(/\/opt\/kubectl\.kubewright-backup-\d{8}T[\d.]+Z$/)]]);
    expect(await readFile(kept[0]?.[1] ?? '', 'utf8')).toBe('their own kubectl');
    await upload(disk.uploads(), [await file('kubectl', Buffer.from('two'))], { onBackup });
    expect(kept).toHaveLength(1);
    expect(await readFile(theirs, 'utf8')).toBe('two');
    // A link is kept as a link, and what it led to is not touched.
    await rm(theirs);
    await symlink('/bin/true', theirs);
    await upload(disk.uploads(), [await file('kubectl', Buffer.from('three'))], { onBackup });
    expect(kept).toHaveLength(2);
    expect(await readFile(theirs, 'utf8')).toBe('three');
  });

  test('to where a directory is says so, and leaves it', async () => {
    const one = await file('one', Buffer.from('x'));
    await mkdir(one.target);
    await expect(upload(disk.uploads(), [one])).rejects.toMatchObject({
      code: 'KW251',
      message: expect.stringContaining('/opt/one: a directory is in its place'),
    });
    expect((await stat(one.target)).isDirectory()).toBe(true);
  });

  test('of a file that becomes shorter meanwhile ends, and says so', async () => {
    const one = await file('one', randomBytes(300_000));
    const onProgress = (line: string) => {
      if (line.startsWith('uploading')) void truncate(one.source, 10);
    };
    await expect(upload(disk.uploads(), [one], { onProgress })).rejects.toMatchObject({ code: 'KW252' });
  });

  test('is asked for by half a list: nothing is judged', async () => {
    const one = await file('one', Buffer.from('x'));
    const half = {
      ...disk.files,
      collect: (script: string, list?: Buffer) => disk.files.collect(script, list?.subarray(0, 30)),
    };
    await expect(missingUploads(half, [one])).rejects.toMatchObject({ code: 'KW251' });
  });
});

describe('how much is asked for at a time', () => {
  const pace = async (...pieces: [bytes: number, microseconds: number][]): Promise<number> => {
    const calls = pieces.map(([bytes, time]) => `pace ${bytes} ${time}\n`).join('');
    return Number((await promisify(execFile)('bash', ['--norc', '-c', `set -u\n${PACE}${calls}echo $piece`])).stdout);
  };
  const [LEAST, SECOND] = [65_536, 1_000_000];

  test('is little at first, and stays so on a slow line', async () => {
    expect(await pace()).toBe(LEAST);
    expect(await pace([LEAST, 5 * SECOND])).toBe(LEAST);
  });

  test('is what comes in two seconds of a fast one', async () => {
    expect(await pace([LEAST, 0.01 * SECOND])).toBe(LEAST * 200);
    expect(await pace([LEAST, 0], [5 * 2 ** 30, 1])).toBe(1_000_000_000);
  });

  test('does not shrink with a small file, and does with a line that became slow', async () => {
    const fast: [number, number] = [LEAST, 0.01 * SECOND];
    expect(await pace(fast, [10, 0.005 * SECOND])).toBe(LEAST * 200);
    expect(await pace(fast, [LEAST * 200, 20 * SECOND])).toBe(LEAST * 20);
  });
});

describe('a small file', () => {
  test('is never written over what is no file: a masked unit leads to /dev/null', async () => {
    // A pipe stands for the device, which no test should put at risk.
    const [unit, device] = [disk.path('opt/kubelet.service'), disk.path('opt/device')];
    await promisify(execFile)('mkfifo', [device]);
    await symlink(device, unit);
    await expect(writeRemote(disk.files, unit, 'x')).rejects.toMatchObject({
      code: 'KW253',
      message: expect.stringContaining(`leads to, ${device}, which is no regular file`),
    });
    expect((await stat(device)).isFIFO()).toBe(true);
  });

  test('that was there is kept, and the copy is named', async () => {
    const path = disk.path('opt/haproxy.cfg');
    await writeFile(path, 'theirs');
    const kept: string[] = [];
    expect(await writeRemote(disk.files, path, 'ours', { onBackup: (_path, copy) => kept.push(copy) })).toBe(true);
    expect(await writeRemote(disk.files, path, 'ours 2', { onBackup: (_path, copy) => kept.push(copy) })).toBe(true);
    expect(kept).toHaveLength(1);
    expect(await readFile(kept[0] ?? '', 'utf8')).toBe('theirs');
  });

  test('is missing only when the system says so, not when it cannot be looked at', async () => {
    expect(await readRemote(disk.files, disk.path('opt/nothing'))).toBeUndefined();
    await symlink('loop', disk.path('opt/loop'));
    await expect(readRemote(disk.files, disk.path('opt/loop'))).rejects.toMatchObject({ code: 'KW253' });
  });
});
