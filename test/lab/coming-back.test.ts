import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LabHost } from '../../lab/hosts/index.js';
import { InstallHistory } from '../chaos/history.js';
import { brokenPromises, countCommands, type Identity, identityOf } from '../chaos/promises.js';
import { eventually } from './lab-hosts.js';
import { acceptKey } from './support/accept-key.js';
import { documentedSteps } from './support/documented.js';
import { Installed } from './support/installed.js';

/**
 * One story, told in order: an install that meets what no retry by itself can mend, and the person who comes back to it.
 * What is asserted is asked of etcd, of the hosts and of the cluster.
 */
let cluster: Installed;
let cp1: LabHost;
let cp2: LabHost;
let cp3: LabHost;
let history: InstallHistory;
let identity: Identity;

beforeAll(async () => {
  cluster = await Installed.up('back', 'stacked', { hosts: 4 });
  [cp1, cp2, cp3] = [cluster.lab.host('cp-1'), cluster.lab.host('cp-2'), cluster.lab.host('cp-3')];
  history = new InstallHistory(cluster.state, cluster.lab.name);
});

afterAll(async () => {
  await history?.close();
  await cluster?.down();
});

/** `install --no-wait` until it ends or only a person can go on. */
const install = (file = cluster.lab.files.clusterFile) =>
  cluster.kubewright(['install', '--no-wait', file], { allowFailure: true });

/** A host's line of `etcdctl member list`, asked on cp-1: id, status, name, peer, client, learner. */
async function memberOf(host: LabHost): Promise<string[] | undefined> {
  const members = await cluster.etcdMembers(cp1).catch(() => []);
  return members.find((member) => member[3] === `https://${host.address}:2380`);
}

async function isDone(step: string): Promise<boolean> {
  await history.refresh();
  return history.steps.get(step)?.completedAt !== undefined;
}

/** The names of the nodes as the API server on cp-1 lists them; '' when it does not answer. */
async function nodesSeenOnCp1(): Promise<string> {
  const kubectl = `kubectl --kubeconfig=/etc/kubernetes/super-admin.conf --server=https://${cp1.address}:6443`;
  return (await cp1.exec(`${kubectl} --request-timeout=3s get nodes -o name`, { allowFailure: true })).stdout;
}

let blocked: ReturnType<typeof install>;

test('a join that is killed half-way is taken back, member and all, and joined anew', async () => {
  blocked = install();
  await eventually(async () => (await memberOf(cp2)) !== undefined, 'an etcd member of cp-2', 300_000);
  const first = await memberOf(cp2);
  await cp2.exec('kill -9 $(pgrep -x kubeadm)');
  await eventually(() => isDone('cp-2/join'), 'the second join of cp-2', 300_000);
  const second = await memberOf(cp2);
  expect(second?.at(-1)).toBe('false');
  expect(second?.[0]).not.toBe(first?.[0]);
  expect(await countCommands(cluster)).toContainEqual({ host: 'cp-2', command: 'join', started: 2, succeeded: 1 });
});

test('a control plane lost at two voters parks the next join, and says how etcd is recovered', async () => {
  await cp2.powerOff();
  identity = await identityOf(cluster);
  const status = async (): Promise<string> => (await cluster.kubewright(['status'], { allowFailure: true })).all ?? '';
  await eventually(async () => /cp-3\/join +blocked/.test(await status()), 'a blocked join of cp-3', 400_000);
  const text = await status();
  expect(text).toMatch(/no quorum without cp-2/);
  expect(text).toContain('docs/topologies.md, "etcd without a quorum"');
  expect(text).toContain('kubewright retry cp-3/join');
  // It is so: nobody can read.
  expect(await nodesSeenOnCp1()).toBe('');

  // What waits for the host itself goes on when it is back; what is parked waits for a person.
  await cp2.powerOn();
  const { exitCode, all } = await blocked;
  expect(exitCode).toBe(3);
  expect(all).toContain('cp-3/join');
});

test('an edited cluster.yaml does not change the plan that runs: install says what differs', async () => {
  const edited = join(cluster.state, 'edited.yaml');
  const text = await readFile(cluster.lab.files.clusterFile, 'utf8');
  await writeFile(edited, text.replace(/^( +)role: worker$/m, '$&\n$1labels:\n$1  zone: b'));
  expect(await readFile(edited, 'utf8')).not.toBe(text);
  const { exitCode, all } = await install(edited);
  expect(exitCode).toBe(1);
  expect(all).toContain('KW520');
  expect(all).toMatch(/zone/);
});

test('Temporal’s database, all tokens and the certificates are gone, and one host is another machine', async () => {
  await cluster.kubewright(['server', 'stop'], { allowFailure: true });
  await rm(cluster.state, { recursive: true, force: true });
  const kubectl = 'kubectl --kubeconfig=/etc/kubernetes/admin.conf --namespace=kube-system --request-timeout=5s';
  await eventually(
    async () =>
      (
        await cp1.exec(
          `${kubectl} delete secret --field-selector=type=bootstrap.kubernetes.io/token --ignore-not-found &&
           ${kubectl} delete secret kubeadm-certs --ignore-not-found`,
          { allowFailure: true },
        )
      ).exitCode === 0,
    'an API server that deletes what a join needs',
    180_000,
  );
  await cp3.replace();
});

test('the other machine’s key is refused until a person has accepted it', async () => {
  const { exitCode, all } = await install();
  expect(exitCode).toBe(3);
  expect(all).toContain('cp-3/preflight');
  expect(all).toMatch(/host key/i);
  expect(all).toContain('ssh-keygen');
  // The run of the database that is gone held the hosts; who says that it is gone gets them.
  const run = /KW590.*?run (\S+) of cluster/.exec(all?.replace(/\s+/g, ' ') ?? '')?.[1] ?? 'no run';
  const unlocked = await cluster.kubewright(['unlock', cluster.lab.files.clusterFile, run], { allowFailure: true });
  expect(unlocked.all).toMatch(new RegExp(`Taken from run ${run}: .*cp-1`));
  expect(unlocked.all).toContain('Not asked: cp-3');
  // Nothing was sent to it but the refusal.
  expect((await cp3.exec('ls /var/lib/kubewright 2>/dev/null || echo none')).stdout).toBe('none');

  await acceptKey(cluster.lab, cp3);
});

test('retry, sent while no worker runs, and install: the cluster is whole, and still the first one', async () => {
  await cluster.kubewright(['retry', '*']);
  const { exitCode, all } = await install();
  expect(exitCode, all).toBe(0);
  expect(await brokenPromises(cluster, identity)).toEqual([]);
});

test('two of three control planes are lost for good: the documented way back gives a whole cluster, and still the first one', async () => {
  await Promise.all([cp2.powerOff(), cp3.powerOff()]);
  await eventually(async () => (await nodesSeenOnCp1()) === '', 'an etcd without a quorum', 60_000);

  const [stopAndCopy = '', startAlone = '', listMembers = '', takeFlagOut = ''] = await documentedSteps(
    'topologies.md',
    '**If they are lost for good**',
  );
  await cp1.exec(stopAndCopy);
  await cp1.exec(startAlone);
  const members = async (): Promise<string[]> =>
    (await cp1.exec(listMembers, { allowFailure: true })).stdout.split('\n').filter((line) => line !== '');
  await eventually(async () => (await members()).length === 1, 'etcd with cp-1 as the only member', 120_000);
  await cp1.exec(takeFlagOut);
  // Nothing of what the cluster knew is lost.
  const nodes = cluster.nodes().map(({ name }) => `node/${name}`);
  await eventually(async () => (await nodesSeenOnCp1()) === nodes.join('\n'), 'an API server on cp-1', 180_000);

  for (const host of [cp2, cp3]) {
    await host.replace();
    await acceptKey(cluster.lab, host);
  }
  const { exitCode, all } = await install();
  expect(exitCode, all).toBe(0);
  expect(await brokenPromises(cluster, identity)).toEqual([]);
  // The flag is gone from what runs, too: another restart would drop the two that joined.
  expect((await cp1.exec('pgrep --full --list-full "^etcd "')).stdout).not.toContain('--force-new-cluster');
});
