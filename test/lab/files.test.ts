import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import type { Hosts, RemoteHost, Upload } from '../../src/hosts/index.js';
import { clusterOfLab, eventually, poolOf } from './lab-hosts.js';

let lab: Lab;
let machine: LabHost;
let pool: Hosts;
let host: RemoteHost;
let directory: string;

beforeAll(async () => {
  lab = await labUp({ name: 'files', hosts: 1, replace: true });
  machine = lab.host('cp-1');
  pool = poolOf(await clusterOfLab(lab));
  host = pool.get('cp-1');
  directory = mkdtempSync(path.join(tmpdir(), 'kubewright-files-'));
});
afterAll(async () => {
  await pool?.close();
  await lab?.down();
  rmSync(directory, { recursive: true, force: true });
});

const on = async (script: string): Promise<string> => (await machine.exec(script)).stdout.trim();

describe('writeFile', () => {
  let folder: string;
  let count = 0;
  beforeEach(async () => {
    folder = `/etc/test-${++count}`;
    await on(`mkdir ${folder}`);
  });
  const backups = (): Promise<string> => on(`cd ${folder}; ls | grep backup | wc -l`);

  test('writes content, owner and mode, and says whether anything changed', async () => {
    const file = `${folder}/it's a file`;
    const content = Buffer.from([0, 10, 255, 13, 10]);
    expect(await host.writeFile(file, content, { mode: 0o640, owner: 'root:daemon' })).toBe(true);
    expect(await on(`stat -c '%a %U:%G' "${file}"; od -An -tx1 "${file}"`)).toBe('640 root:daemon\n 00 0a ff 0d 0a');
    expect(await host.writeFile(file, content, { mode: 0o640, owner: 'root:daemon' })).toBe(false);
    expect(await host.writeFile(file, content, { mode: 0o600 })).toBe(true);
    expect(await on(`stat -c '%a %U:%G' "${file}"; ls -A ${folder} | wc -l`)).toBe('600 root:root\n1');
    expect(await host.readFile(file)).toEqual(content);
  });

  test('writes an empty file, a file of 3 MB, and makes the directories on the way', async () => {
    expect(await host.writeFile(`${folder}/a/b/empty`, '')).toBe(true);
    const large = randomBytes(3_000_000);
    await host.writeFile(`${folder}/large`, large);
    // Not toEqual, which takes a minute over so many bytes.
    expect((await host.readFile(`${folder}/large`))?.equals(large)).toBe(true);
    expect(await host.readFile(`${folder}/a/b/empty`)).toEqual(Buffer.alloc(0));
    expect(await host.readFile(`${folder}/nothing`)).toBeUndefined();
  });

  test('keeps what was there before it, once; its own earlier versions are not kept', async () => {
    const file = `${folder}/conf`;
    await on(`echo original >${file}; chmod 604 ${file}; chown daemon ${file}`);
    for (const version of ['one', 'two', 'three']) await host.writeFile(file, version);
    expect(await backups()).toBe('1');
    expect(await on(`cd ${folder}; cat conf.kubewright-backup-*; stat -c '%a %U' conf.kubewright-backup-*`)).toBe(
      'original\n604 daemon',
    );
  });

  test('keeps a later edit by a person', async () => {
    const file = `${folder}/conf`;
    await host.writeFile(file, 'ours');
    await on(`echo edited >>${file}`);
    await host.writeFile(file, 'ours again');
    expect(await backups()).toBe('1');
    expect(await on(`cat ${folder}/conf.kubewright-backup-*`)).toBe('oursedited');
  });

  test('keeps nothing where it is told not to', async () => {
    await on(`echo original >${folder}/conf`);
    await host.writeFile(`${folder}/conf`, 'new', { backup: false });
    expect(await backups()).toBe('0');
  });

  test('puts no backup where the kubelet would run it', async () => {
    const manifests = `${folder}/manifests`;
    await on(`mkdir ${manifests}; echo original >${manifests}/etcd.yaml`);
    await host.writeFile(`${manifests}/etcd.yaml`, 'new');
    expect(await on(`ls -A ${manifests}; cat /var/lib/kubewright/backups/etcd.yaml.kubewright-backup-*`)).toBe(
      'etcd.yaml\noriginal',
    );
  });

  test('follows a link to the file behind it', async () => {
    await on(`echo original >${folder}/real; ln -s real ${folder}/link`);
    await host.writeFile(`${folder}/link`, 'new');
    expect(await on(`readlink ${folder}/link; cat ${folder}/real`)).toBe('real\nnew');
  });

  test.each([
    ['a directory', () => `${folder}`, {}],
    ['an owner that does not exist', () => `${folder}/x`, { owner: 'nobody-such:root' }],
    ['a file below a file', () => '/etc/passwd/x', {}],
  ])('refuses %s as KW253 and leaves nothing behind', async (_title, file, options) => {
    await expect(host.writeFile(file(), 'x', options)).rejects.toMatchObject({
      code: 'KW253',
      host: 'cp-1',
      transient: false,
    });
    expect(await on(`ls -A ${folder}`)).toBe('');
  });

  test('on a full disk is KW250, and the file is what it was', async () => {
    await host.writeFile(`${folder}/conf`, 'before');
    await machine.fillDisk();
    try {
      await expect(host.writeFile(`${folder}/conf`, randomBytes(1_000_000))).rejects.toMatchObject({ code: 'KW250' });
    } finally {
      await machine.freeDisk();
    }
    expect(await on(`cat ${folder}/conf; ls -A ${folder}`)).toBe('beforeconf');
  });
});

describe('upload', () => {
  let count = 0;

  function make(name: string, size: number, content = randomBytes(size)): Upload {
    const source = path.join(directory, name);
    mkdirSync(path.dirname(source), { recursive: true });
    writeFileSync(source, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { source, target: `/opt/uploads/${name}`, sha256, size, mode: 0o755 };
  }
  const some = (): Upload[] => {
    count += 1;
    return [make(`${count}/large`, 12_000_000), make(`${count}/small one`, 10), make(`${count}/empty`, 0)];
  };
  const sums = (files: Upload[]): Promise<string> =>
    on(files.map(({ target }) => `sha256sum <'${target}' | cut -c1-64; stat -c '%a %U' '${target}'`).join('\n'));
  const promised = (files: Upload[]): string =>
    files.map(({ sha256, mode }) => `${sha256}\n${mode.toString(8)} root`).join('\n');

  test('brings what is missing, then nothing', async () => {
    const files = some();
    expect(await host.missingUploads(files)).toEqual(files);
    expect(await host.upload(files)).toBe(12_000_010);
    expect(await sums(files)).toBe(promised(files));
    expect(await host.missingUploads(files)).toEqual([]);
    expect(await host.upload(files)).toBe(0);
    expect(await on('find /opt/uploads -name "*part*"')).toBe('');
  });

  test('does not read again what it verified, and does read what changed since', async () => {
    const files = some();
    await host.upload(files);
    const [large] = files as [Upload];
    // The same size and another content, at another time: found. The record is trusted only together with the time.
    await on(`printf x | dd of=${large.target} bs=1 seek=5 conv=notrunc status=none`);
    expect(await host.missingUploads(files)).toEqual([large]);
    expect(await host.upload(files)).toBe(large.size);
    await on(`touch ${large.target}`);
    expect(await host.missingUploads(files)).toEqual([]);
    await on(`printf more >>${large.target}; rm '${files[1]?.target}'; chmod 600 ${files[2]?.target}`);
    expect(await host.missingUploads(files)).toEqual(files);
    await host.upload(files);
    expect(await sums(files)).toBe(promised(files));
  });

  test('a wrong mode alone sends no byte', async () => {
    const files = some();
    await host.upload(files);
    await on(`chmod 600 ${files[0]?.target}`);
    expect(await host.upload(files)).toBe(0);
    expect(await sums(files)).toBe(promised(files));
  });

  test('probing changes nothing on the host', async () => {
    const before = 'find /opt /var/lib/kubewright -printf "%p %T@ %s\\n" | sort | sha256sum';
    const state = await on(before);
    await host.missingUploads(some());
    expect(await on(before)).toBe(state);
  });

  test('that was interrupted goes on where it stopped', async () => {
    const file = make('interrupted', 200_000_000);
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const running = host.upload([file], { signal: controller.signal });
    await eventually(
      async () => Number(await on(`cat /opt/uploads/.interrupted.*part 2>/dev/null | wc -c`)) > 1_000_000,
      'a part',
    );
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    const lines: string[] = [];
    const sent = await host.upload([file], { onProgress: (line) => lines.push(line) });
    expect(sent).toBeLessThan(file.size);
    expect(lines.join()).toContain('going on at');
    expect(await sums([file])).toBe(promised([file]));
    rmSync(file.source);
    await on(`rm ${file.target}`);
  });

  test('whose part was damaged meanwhile begins anew', async () => {
    const file = make('damaged', 5_000_000);
    const part = `/opt/uploads/.damaged.${file.sha256.slice(0, 12)}.kubewright-part`;
    await on(`head -c 1000000 /dev/urandom >${part}`);
    expect(await host.upload([file])).toBe(9_000_000);
    expect(await sums([file])).toBe(promised([file]));
  });

  test('of two workers at once: one sends, both are content', async () => {
    const files = some();
    const other = poolOf(await clusterOfLab(lab));
    try {
      const sent = await Promise.all([host.upload(files), other.get('cp-1').upload(files)]);
      expect(sent.sort()).toEqual([0, 12_000_010]);
    } finally {
      await other.close();
    }
  });

  test('of a file that is not what the bundle says is KW251, and the old file stays', async () => {
    const file = make('wrong', 1000);
    await host.upload([file]);
    const before = await sums([file]);
    await expect(host.upload([{ ...file, sha256: 'ab'.repeat(32) }])).rejects.toMatchObject({
      code: 'KW251',
      transient: false,
    });
    expect(await sums([file])).toBe(before);
    expect(await on('find /opt/uploads -name "*part*"')).toBe('');
  });

  test('of files that are missing here or of another size is KW252, all of them named', async () => {
    const [gone, short] = [make('gone', 10), make('short', 10)];
    rmSync(gone.source);
    truncateSync(short.source, 5);
    await expect(host.upload([gone, short])).rejects.toMatchObject({
      code: 'KW252',
      message: expect.stringMatching(/gone.*; .*short has 5 bytes, expected 10/),
    });
  });

  test('without enough space is KW250 before the first byte, with what is needed and what is free', async () => {
    const source = path.join(directory, 'huge');
    writeFileSync(source, '');
    truncateSync(source, 64 * 2 ** 30);
    utimesSync(source, 0, 0);
    const file = { source, target: '/opt/uploads/huge', sha256: 'ab'.repeat(32), size: 64 * 2 ** 30, mode: 0o644 };
    await expect(host.upload([file])).rejects.toMatchObject({
      code: 'KW250',
      message: expect.stringMatching(/needs 65536 MiB for uploads, \d+ MiB are free/),
    });
    expect(await on('ls -A /opt/uploads | grep huge || true')).toBe('');
  });
});
