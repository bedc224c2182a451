import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  DIRECTORY,
  makeCertificates,
  PLACE,
  placeFiles,
} from '../../../../src/components/etcd/external/steps/certificate-files.js';
import type { RemoteHost, RunOptions } from '../../../../src/hosts/types.js';

/** The scripts in a real bash, with a kubeadm of this test. */
let root: string;
let running: ChildProcess;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kubewright-pki-'));
  const pki = join(root, 'etc/kubernetes/pki/etcd');
  await Promise.all([join(root, 'bin'), pki].map((path) => mkdir(path, { recursive: true })));
  await writeFile(join(pki, 'ca.crt'), 'the CA');
  await writeFile(join(pki, 'ca.key'), 'the key of the CA');
  await kubeadm('');
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Writes the pair that it is asked for, below the directory that its configuration names. */
async function kubeadm(more: string): Promise<void> {
  const path = join(root, 'bin/kubeadm');
  await writeFile(
    path,
    `#!/bin/bash
directory=$(sed -n 's/^certificatesDir: //p' "\${5#--config=}")
name=\${4#etcd-}
echo "[certs] Generating $name"
${more}
[ -e "$directory/etcd/ca.key" ] || exit 1
echo "certificate of $name" >"$directory/etcd/$name.crt"
echo "key of $name" >"$directory/etcd/$name.key"
`,
  );
  await chmod(path, 0o755);
}

const host = {
  name: 'etcd-1',
  run: async (script: string, options: RunOptions) => {
    const local = script.replaceAll(/(?<![\w.@])\/(etc|run)\//g, `${root}/$1/`);
    running = spawn('bash', ['--norc', '--norc', '-c', local], {
      env: { PATH: `${root}/bin:${process.env.PATH}`, LC_ALL: 'C' },
    });
    let [stdout, stderr] = ['', ''];
    running.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    running.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    running.stdin?.on('error', () => undefined);
    running.stdin?.end(options.input);
    const exitCode = await new Promise<number>((resolve) => running.once('close', (code) => resolve(code ?? 143)));
    if (exitCode !== 0 && !options.allowFailure) throw new Error(stderr);
    return { exitCode, stdout, stderr, durationMs: 1 };
  },
} as unknown as RemoteHost;

const signal = new AbortController().signal;
const authority = { host, ca: '/etc/kubernetes/pki/etcd/ca.crt', key: '/etc/kubernetes/pki/etcd/ca.key' };
const make = () => makeCertificates(authority, 'etcd-2', `certificatesDir: ${DIRECTORY}\n`, ['server', 'peer'], signal);
/** Everything of certificates that is left in memory. */
const left = () => readdir(join(root, 'run/kubewright'));

describe('certificates that are made for another host', () => {
  test('come back with their keys, and nothing of them stays', async () => {
    const made = await make();
    expect([...made].map(([name, content]) => [name, content.toString()])).toEqual([
      ['ca.crt', 'the CA'],
      ['server.crt', 'certificate of server\n'],
      ['server.key', 'key of server\n'],
      ['peer.crt', 'certificate of peer\n'],
      ['peer.key', 'key of peer\n'],
    ]);
    expect(await left()).toEqual([]);
    expect(await readFile(join(root, 'etc/kubernetes/pki/etcd/ca.key'), 'utf8')).toBe('the key of the CA');
  });

  test('leave nothing when kubeadm fails, and no key gets into the error', async () => {
    await kubeadm('[ $name = server ] || { echo "no such phase" >&2; exit 3; }');
    await expect(make()).rejects.toMatchObject({
      code: 'KW472',
      output: '[certs] Generating server\n[certs] Generating peer\nno such phase',
    });
    expect(await left()).toEqual([]);
  });

  test('leave nothing when the one who asked is gone in the middle', async () => {
    await kubeadm(`[ $name = server ] || touch ${root}/half; until [ ! -e ${root}/half ]; do sleep 0.02; done`);
    const made = make().catch(() => undefined);
    await vi.waitFor(() => stat(join(root, 'half')), { timeout: 10_000 });
    expect(await left()).toHaveLength(1);
    // What sshd does to the command of a connection that is gone: its standard input, output and error are closed.
    running.stdout?.destroy();
    running.stderr?.destroy();
    await rm(join(root, 'half'));
    await made;
    await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 10_000 });
  });

  test('clear away what an earlier time left behind, and nothing of one that is on', async () => {
    for (const name of ['etcd-certificates-etcd-3', 'etcd-certificates.now']) {
      await mkdir(join(root, 'run/kubewright', name), { recursive: true });
    }
    await utimes(join(root, 'run/kubewright/etcd-certificates-etcd-3'), 0, 0);
    await make();
    expect(await left()).toEqual(['etcd-certificates.now']);
  });

  test("are not made without the CA's key", async () => {
    await rm(join(root, 'etc/kubernetes/pki/etcd/ca.key'));
    await expect(make()).rejects.toMatchObject({ code: 'KW471', host: 'etcd-1' });
  });
});

describe('certificates and keys that are put in place', () => {
  const files = (version: string) =>
    ['peer.crt', 'peer.key'].map((name) => ({
      path: `${root}/etc/pki/${name}`,
      content: Buffer.from(`${name} ${version}`),
    }));
  const content = () => Promise.all(files('').map(({ path }) => readFile(path, 'utf8')));

  test('are there together, keys for root alone', async () => {
    await placeFiles(host, files('1'), signal);
    await placeFiles(host, files('2'), signal);
    expect(await content()).toEqual(['peer.crt 2', 'peer.key 2']);
    expect((await stat(`${root}/etc/pki/peer.key`)).mode & 0o777).toBe(0o600);
    expect(await readdir(`${root}/etc/pki`)).toEqual(['peer.crt', 'peer.key']);
  });

  test('none of them when one did not arrive whole', async () => {
    await placeFiles(host, files('1'), signal);
    const cut = {
      ...host,
      run: (script: string, options: RunOptions) =>
        host.run(script, { ...options, input: String(options.input).slice(0, -9) }),
    };
    await expect(placeFiles(cut, files('2'), signal)).rejects.toThrow();
    expect(await content()).toEqual(['peer.crt 1', 'peer.key 1']);
    expect(await readdir(`${root}/etc/pki`)).toEqual(['peer.crt', 'peer.key']);
  });

  test('are in no argument list: the script is the same for all', async () => {
    expect(PLACE).not.toContain('pki');
  });
});
