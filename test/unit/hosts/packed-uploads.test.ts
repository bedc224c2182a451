import { createHash, randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { missingUploads, upload } from '../../../src/hosts/files/upload.js';
import type { Upload } from '../../../src/hosts/types.js';
import { FakeDisk } from './fake-disk.js';

let disk: FakeDisk;

beforeEach(async () => {
  disk = await FakeDisk.create();
});
afterEach(() => disk.remove());

const factsOf = (bytes: Buffer) => ({ sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length });

/** An upload of a file that lies packed; what lies there is `packed`, which holds the content unless said otherwise. */
async function packedFile(name: string, content: Buffer, packed = gzipSync(content)) {
  const source = disk.path(`${name}.gz`);
  await writeFile(source, packed);
  const target = disk.path(`opt/${name}`);
  return { source, target, ...factsOf(content), mode: 0o755, packed: factsOf(packed) } satisfies Upload;
}

/** Names of all that lies where files are put. */
const lying = async () => (await readdir(disk.path('opt'))).sort();

/** Puts a program before the host's own of this name. */
async function tool(name: string, body: string): Promise<void> {
  await writeFile(disk.path(`bin/${name}`), `#!/bin/bash\n${body}\n`);
  await chmod(disk.path(`bin/${name}`), 0o755);
}

/** Half random, so that it takes its time, half not, so that it gets smaller. */
const bytes = (count: number) => Buffer.concat([randomBytes(count / 2), Buffer.alloc(count / 2)]);

describe('a packed upload', () => {
  test('travels packed, arrives whole, and is not sent again', async () => {
    const contents = [bytes(5_000_002), Buffer.from('x'), Buffer.alloc(0)];
    const files = [
      await packedFile('large', contents[0] as Buffer),
      await packedFile('small', contents[1] as Buffer),
      await packedFile('empty', contents[2] as Buffer),
    ];
    const sent = files.reduce((sum, { packed }) => sum + packed.size, 0);
    expect(sent).toBeLessThan(2_600_000);
    expect(await upload(disk.uploads(), files)).toBe(sent);
    for (const [index, { target }] of files.entries()) {
      expect((await readFile(target)).equals(contents[index] as Buffer)).toBe(true);
      expect((await stat(target)).mode & 0o777).toBe(0o755);
    }
    expect(await lying()).toEqual(['empty', 'large', 'small']);
    expect(await missingUploads(disk.files, files)).toEqual([]);
    expect(await upload(disk.uploads(), files)).toBe(0);
  });

  test('goes together with one that is not packed, and is the same file to the host', async () => {
    const content = bytes(100_000);
    const packed = await packedFile('kubelet', content);
    await writeFile(disk.path('plain'), content);
    const plain = { ...packed, source: disk.path('plain'), packed: undefined };
    const beside = { ...plain, target: disk.path('opt/kubeadm') };
    expect(await upload(disk.uploads(), [packed, beside])).toBe(packed.packed.size + content.length);
    expect((await readFile(beside.target)).equals(content)).toBe(true);
    expect(await upload(disk.uploads(), [plain, { ...packed, target: beside.target }])).toBe(0);
  });

  test('that broke off goes on where it stopped, and takes no rest of an unpacking for the file', async () => {
    disk.silenceSeconds = 1;
    const content = randomBytes(400_000);
    const file = await packedFile('kubelet', content);
    await expect(upload(disk.uploads(250_000), [file])).rejects.toMatchObject({ code: 'KW413' });
    const [part = '', ...others] = await lying();
    expect(part).toBe(`.kubelet.${file.packed.sha256.slice(0, 12)}.kubewright-part`);
    expect(others).toEqual([]);
    // As a power failure in the middle of an unpacking leaves it.
    await writeFile(disk.path(`opt/${part}.unpacked`), 'half of a file');
    const sent = await upload(disk.uploads(), [file]);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(file.packed.size - 100_000);
    expect((await readFile(file.target)).equals(content)).toBe(true);
    expect(await lying()).toEqual(['kubelet']);
  });

  test('whose part was damaged meanwhile is sent from the beginning', async () => {
    disk.silenceSeconds = 1;
    const content = randomBytes(400_000);
    const file = await packedFile('kubelet', content);
    await expect(upload(disk.uploads(250_000), [file])).rejects.toMatchObject({ code: 'KW413' });
    const [part = ''] = await lying();
    await writeFile(disk.path(`opt/${part}`), Buffer.alloc((await stat(disk.path(`opt/${part}`))).size));
    expect(await upload(disk.uploads(), [file])).toBeGreaterThan(file.packed.size);
    expect((await readFile(file.target)).equals(content)).toBe(true);
  });

  test('of a damaged source is refused, and says by which sum that is seen', async () => {
    const file = await packedFile('kubelet', bytes(1_000));
    await writeFile(file.source, Buffer.alloc(file.packed.size));
    await expect(upload(disk.uploads(), [file])).rejects.toMatchObject({
      code: 'KW251',
      message: expect.stringContaining(`${file.source} (expected SHA-256 ${file.packed.sha256}, unpacked`),
    });
    expect(await lying()).toEqual([]);
  });

  test.each([
    ['another content', { sha256: factsOf(Buffer.from('another')).sha256 }],
    ['another size', { size: 999 }],
  ])('that holds what %s was promised of is refused, and nothing of it stays', async (_what, promised) => {
    const file = { ...(await packedFile('kubelet', bytes(1_000))), ...promised };
    await expect(upload(disk.uploads(), [file])).rejects.toMatchObject({
      code: 'KW251',
      message: expect.stringContaining('what arrived is not what was promised'),
    });
    expect(await lying()).toEqual([]);
  });

  test('that is not packed by gzip is refused with its words', async () => {
    const file = await packedFile('kubelet', Buffer.from('x'), Buffer.from('no gzip'));
    await expect(upload(disk.uploads(), [file])).rejects.toMatchObject({
      code: 'KW251',
      message: expect.stringContaining('/opt/kubelet: it cannot be unpacked: gzip: stdin: not in gzip format'),
    });
    expect((await lying()).filter((name) => !name.endsWith('-part'))).toEqual([]);
  });

  test('wants room for what travels and for what it unpacks to', async () => {
    const file = await packedFile('kubelet', bytes(4_000_000));
    const spare = 16 * 2 ** 20;
    const free = (count: number) => tool('df', `echo Avail\necho ${count}`);
    await free(file.size + file.packed.size + spare - 1);
    const refusal = {
      code: 'KW250',
      message: expect.stringMatching(/opt needs 5\.7 MiB for uploads, 21\.7 MiB are free$/),
    };
    await expect(upload(disk.uploads(), [file])).rejects.toMatchObject(refusal);
    expect(await lying()).toEqual([]);
    await free(file.size + file.packed.size + spare);
    expect(await upload(disk.uploads(), [file])).toBe(file.packed.size);
  });

  test('that fills the disk while it is unpacked says so, and is not sent twice', async () => {
    const content = bytes(100_000);
    const file = await packedFile('kubelet', content);
    await tool('gzip', `head -c 1000; echo 'gzip: stdout: No space left on device' >&2; exit 1`);
    await expect(upload(disk.uploads(), [file])).rejects.toMatchObject({
      code: 'KW250',
      message: expect.stringContaining('/opt/kubelet: it cannot be unpacked: gzip: stdout: No space left on device'),
      hint: expect.stringContaining('goes on where it stopped'),
    });
    expect(await lying()).toEqual([expect.stringMatching(/^\.kubelet\.\w{12}\.kubewright-part$/)]);
    await rm(disk.path('bin/gzip'));
    expect(await upload(disk.uploads(), [file])).toBe(0);
    expect((await readFile(file.target)).equals(content)).toBe(true);
    expect(await lying()).toEqual(['kubelet']);
  });

  test('keeps what a person had put there, and its own earlier file not', async () => {
    await writeFile(disk.path('opt/kubectl'), 'their own kubectl');
    const kept: string[] = [];
    const onBackup = (_path: string, copy: string) => kept.push(copy);
    await upload(disk.uploads(), [await packedFile('kubectl', Buffer.from('one'))], { onBackup });
    expect(await readFile(kept[0] ?? '', 'utf8')).toBe('their own kubectl');
    await upload(disk.uploads(), [await packedFile('kubectl', Buffer.from('two'))], { onBackup });
    expect(kept).toHaveLength(1);
    expect(await readFile(disk.path('opt/kubectl'), 'utf8')).toBe('two');
  });

  test('whose source has another size than the packed file is not begun', async () => {
    const file = await packedFile('kubelet', bytes(1_000));
    await writeFile(file.source, 'short');
    await expect(upload(disk.uploads(), [file])).rejects.toMatchObject({
      code: 'KW252',
      message: expect.stringContaining(`kubelet.gz has 5 bytes, expected ${file.packed.size}`),
    });
  });
});
