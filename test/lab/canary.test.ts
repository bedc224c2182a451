import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeRun } from '../../src/engine/index.js';
import { BLOCKED, Rehearsal } from './canary/rehearsal.js';
import { hostRoot } from './canary/samplers.js';
import type { Finding } from './canary/secrets.js';

/** Where an install leaves something on a host that is not Kubernetes' own place for its keys. */
const HOST_DIRECTORIES = [
  '/var/lib/kubewright',
  '/etc/kubewright',
  '/run/kubewright',
  '/etc/haproxy',
  '/etc/keepalived',
  '/etc/containerd',
  '/etc/systemd',
  '/tmp',
  '/var/tmp',
  '/var/log',
  '/root',
  '/home',
];

let run: Rehearsal;
const blocked = { status: '', refusal: { exitCode: undefined as number | undefined, all: '' }, touched: [''] };

beforeAll(async () => {
  run = await Rehearsal.up();
  await run.install(async () => {
    blocked.status = (await run.kubewright(['status', 'canary'])).all;
    await installOther();
  });
  await run.kubewright(['install', run.lab.files.clusterFile]);
  await run.kubewright(['kubeconfig', run.lab.files.clusterFile, '--output', run.private('admin.conf')]);
  await run.gather();
}, 1_500_000);

afterAll(() => run?.down());

/** A second cluster.yaml names the same hosts, while the first install stands in its middle. */
async function installOther(): Promise<void> {
  const file = run.private('other.yaml');
  const text = await readFile(run.lab.files.clusterFile, 'utf8');
  await writeFile(file, text.replace(/name: canary\b/, 'name: other'));
  blocked.refusal = await run.kubewright(['install', file, '--no-wait']);
  const { steps } = (await describeRun(run.engine, 'other')).progress;
  blocked.touched = steps
    .filter(({ phase, state }) => state !== 'waiting' && phase !== 'preflight')
    .map(({ id }) => id);
  await run.kubewright(['abort', '--cluster', 'other', '--reason', 'these hosts are taken']);
}

async function search(...paths: string[]): Promise<{ secrets: Finding[]; controls: Set<string> }> {
  const found = await run.secrets.search(paths, run.private('patterns'));
  const isSecret = ({ name }: Finding): boolean => run.secrets.names.includes(name);
  return {
    secrets: found.filter(isSecret),
    controls: new Set(found.filter((one) => !isSecret(one)).map(({ name }) => name)),
  };
}

/** Searches, and is sure of having searched: an ordinary word has to be found there. */
async function expectClean(paths: string[], ordinary: string): Promise<void> {
  const { secrets, controls } = await search(...paths);
  expect(secrets).toEqual([]);
  expect([...controls]).toContain(ordinary);
}

const seen = (...names: string[]): string[] => names.map((name) => join(run.seen, name));

describe('what is looked for', () => {
  test('came into being during the run, and was seen there', () => {
    // cp-2 joins once; cp-3 twice in vain, and once more after the retry. Each time with secrets of its own.
    expect(run.minted.certificateKeys.size).toBeGreaterThanOrEqual(4);
    // And kubeadm init mints a token for itself.
    expect(run.minted.tokens.size).toBeGreaterThanOrEqual(5);
    const names = run.secrets.names.map((name) => name.replace(/kubelet-client-.*/, 'kubelet-client'));
    for (const host of ['cp-1', 'cp-2', 'cp-3']) {
      const files = ['pki/ca.key', 'pki/sa.key', 'pki/front-proxy-ca.key', 'pki/etcd/ca.key', 'admin.conf'];
      expect(names).toEqual(expect.arrayContaining(files.map((file) => `${host}:/etc/kubernetes/${file}`)));
      expect(names).toContain(`${host}:/var/lib/kubelet/pki/kubelet-client`);
    }
    expect(names).toEqual(expect.arrayContaining(['the sudo password', 'the SSH key', 'a bootstrap token']));
  });

  test('is found where it has to be: the search can fail', async () => {
    const root = await hostRoot(run.lab.host('cp-1'));
    const { secrets } = await search(`${root}/etc/kubernetes`, run.private('admin.conf'), run.lab.files.privateKey);
    const found = new Set(secrets.map(({ name }) => name));
    expect([...found]).toEqual(expect.arrayContaining(['cp-1:/etc/kubernetes/pki/ca.key', 'the SSH key']));
    expect(secrets.filter(({ file }) => file === run.private('admin.conf'))).not.toEqual([]);
  });

  test('was told by a step that failed, in its output on the host, and nowhere further', async () => {
    expect(blocked.status).toContain(`${BLOCKED}  blocked`);
    expect(blocked.status).toContain(`${run.marker} ends`);
    expect(readFileSync(join(run.seen, 'current-details'), 'utf8')).toContain(`${run.marker} ends`);
    expect(readFileSync(join(run.seen, 'descriptions'), 'utf8')).toContain(`"line":"${run.marker}`);
    expect(readFileSync(join(run.seen, 'descriptions'), 'utf8')).toContain('[redacted]');
    const { secrets } = await search(`${await hostRoot(run.lab.host('cp-3'))}/var/lib/kubewright`);
    expect(new Set(secrets.map(({ name }) => name))).toEqual(
      new Set(['a bootstrap token', 'a certificate key', 'cp-3:/etc/ssh/ssh_host_ed25519_key']),
    );
    // Our kubeadm wrote that, not the real one. From here on nothing of it may be anywhere.
    expect(await run.forgetNoise()).toBeGreaterThanOrEqual(2);
  });
});

describe('no secret is', () => {
  test('in the histories', () => expectClean(seen('histories'), 'the marker'));
  test('in what describes the run: heartbeats, failures, attributes', () =>
    expectClean(seen('descriptions'), 'the marker'));
  test('in the current details', () => expectClean(seen('current-details'), 'the marker'));
  test('on a terminal', () => expectClean(seen('terminal-pty', 'terminal-pty-stdout'), 'the marker'));
  test('in plain output', () => expectClean(seen('terminal-plain'), 'the marker'));
  test('in JSON output', () => expectClean(seen('terminal-json'), 'the marker'));
  test('in an argument list, on this machine or on a host', () => expectClean(seen('argument-lists'), 'an argument'));
  test('in a temporary file of the command line, the worker or the server', async () => {
    expect((await search(run.temporary)).secrets).toEqual([]);
  });
  test('in the bundle', () => expectClean([run.bundle], 'an image'));

  test('in the environment of the Temporal server, nor on disk beside it: database, records, logs', async () => {
    await expectClean([run.state], 'the marker');
    const { pid } = JSON.parse(readFileSync(join(run.state, 'server.json'), 'utf8')) as { pid: number };
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toContain('PATH=');
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain(run.password);
  });

  test.each(['cp-1', 'cp-2', 'cp-3'])('on %s, but where Kubernetes keeps its own', async (name) => {
    const root = await hostRoot(run.lab.host(name));
    await expectClean(
      HOST_DIRECTORIES.map((directory) => root + directory),
      'the workflow',
    );
    expect((await search(join(run.seen, `journal-${name}`))).secrets).toEqual([]);
  });

  test('in the state directory when all has stopped', async () => {
    await run.kubewright(['server', 'stop']);
    await expectClean([run.state], 'the marker');
  });
});

describe('a second cluster on the same hosts', () => {
  test('is refused before its first change, while the first one’s install runs, and told what to do', () => {
    expect(blocked.refusal.exitCode).toBe(3);
    expect(blocked.refusal.all).toMatch(/cp-1\/preflight\s+blocked/);
    expect(blocked.refusal.all).toContain('it belongs to cluster "canary"');
    expect(blocked.refusal.all.replace(/\s+/g, ' ')).toContain('abort --cluster canary');
    expect(blocked.touched).toEqual([]);
  });

  test.each(['cp-1', 'cp-2', 'cp-3'])('leaves %s as it was', async (name) => {
    const owner = await run.lab.host(name).exec('cat /etc/kubewright/owner.json');
    expect(JSON.parse(owner.stdout)).toMatchObject({ cluster: 'canary', host: name });
  });
});
