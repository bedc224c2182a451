import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONTAINERD } from '../../../../../src/components/runtime/containerd/steps/start.js';
import { startScript } from '../../../../../src/components/runtime/start.js';

/** The script that starts containerd, in a real bash with a systemd and a containerd of this test. */
const [OURS, OLDER] = ['a'.repeat(64), 'b'.repeat(64)];

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kubewright-runtime-'));
  await Promise.all(['bin', 'run/kubewright-loaded'].map((path) => mkdir(join(root, path), { recursive: true })));
  await program('journalctl', 'echo "containerd: invalid plugin config"');
  await program('sleep', '');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function program(name: string, body: string): Promise<void> {
  await writeFile(join(root, 'bin', name), `#!/bin/bash\nROOT=${root}\n${body}\n`);
  await chmod(join(root, 'bin', name), 0o755);
}

interface Containerd {
  state: string;
  loaded: string;
  /** After how many questions its CRI plugin answers. */
  answersAfter?: number;
  /** Whether it ends again after each start. */
  crashes?: boolean;
}

async function run({ state, loaded, answersAfter = 0, crashes = false }: Containerd) {
  const record = join(root, 'run/kubewright-loaded/containerd.sha256');
  await writeFile(record, `${loaded}  -\n`);
  await writeFile(join(root, 'asked'), '0\n');
  await writeFile(join(root, 'restarts'), '7\n');
  const up = crashes ? '' : `echo "${OURS}  -" >${record}`;
  await program(
    'systemctl',
    `case $* in
  restart*) echo restart >>$ROOT/calls; echo 0 >$ROOT/restarts; ${up} ;;
  *ActiveState*) echo '${state}' ;;
  *NRestarts*)
    read -r n <$ROOT/restarts
    ${crashes ? 'echo $((n + 1)) >$ROOT/restarts' : ''}
    echo "$n" ;;
esac`,
  );
  await program(
    'ctr',
    `read -r n <$ROOT/asked; echo $((n + 1)) >$ROOT/asked
[ "$n" -ge ${answersAfter} ] && echo 'io.containerd.grpc.v1  cri  linux/amd64  ok'`,
  );
  const script = `set -euo pipefail\n${startScript(CONTAINERD, OURS).replaceAll('/run/', `${root}/run/`)}`;
  const env = { PATH: `${root}/bin:${process.env.PATH}` };
  const { stdout, code } = await promisify(execFile)('bash', ['--norc', '-c', script], { env }).then(
    (result) => ({ stdout: result.stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  const calls = await readFile(join(root, 'calls'), 'utf8').catch(() => '');
  return { stdout, code, restarts: calls.split('\n').filter(Boolean).length };
}

test.each([
  ['runs with this configuration', { state: 'active', loaded: OURS }, 0],
  ['runs with another one', { state: 'active', loaded: OLDER }, 1],
  ['does not run', { state: 'inactive', loaded: OURS }, 1],
  [
    'is slow: it was started with this configuration and does not answer yet',
    { state: 'active', loaded: OURS, answersAfter: 20 },
    0,
  ],
  ['is on its way up', { state: 'activating', loaded: OURS, answersAfter: 20 }, 0],
])('a containerd that %s is restarted only for a reason', async (_, containerd, restarts) => {
  expect(await run(containerd)).toMatchObject({ code: 0, restarts });
});

test('a containerd of which systemd says nothing is not restarted', async () => {
  const result = await run({ state: '', loaded: OLDER });
  expect(result).toMatchObject({ code: 1, restarts: 0 });
  expect(result.stdout).toContain('does not say whether containerd runs');
});

test('a containerd that ends after each start is given up soon, with its last words', async () => {
  const result = await run({ state: 'activating', loaded: OLDER, crashes: true });
  expect(result).toMatchObject({ code: 1, restarts: 1, stdout: 'containerd: invalid plugin config\n' });
});
