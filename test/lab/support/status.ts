import { expect, test } from 'vitest';
import { etcdStatus } from '../../../lab/probes/etcd.js';
import type { ClusterSummary } from '../../../src/terminal/json/index.js';
import { check } from './health.js';
import type { Installed } from './installed.js';

/** What `status` says of a cluster, as a program reads it. */
async function statusOf(cluster: Installed): Promise<ClusterSummary> {
  const { stdout, all } = await cluster.kubewright(['status', cluster.lab.files.clusterFile, '--json']);
  const objects = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ClusterSummary & { type: string });
  const told = objects.find(({ type }) => type === 'cluster');
  if (told === undefined) throw new Error(`no status: ${all}`);
  return told;
}

/** Names of the hosts whose members say of themselves that they lead; ids are those that etcd prints. */
async function leaders(cluster: Installed): Promise<string[]> {
  const told = await Promise.all(
    cluster.members().map(async (host) => ({ name: host.name, status: await etcdStatus(host, cluster.etcdPki) })),
  );
  return told.filter(({ status }) => status !== undefined && status.leader === status.member).map(({ name }) => name);
}

/**
 * After a check `status` names who has the virtual IP, who leads etcd and how the nodes are, and knows what was applied: asked of
 * the hosts with ip, etcdctl and kubectl, never of the program.
 */
export function expectStatusTells(get: () => Installed): void {
  test('status names the holder of the virtual IP that ip shows, the leader that etcdctl shows, and the nodes of kubectl', async () => {
    const cluster = get();
    await check(cluster);
    // A check's report stands in Temporal's list a moment later.
    await expect.poll(async () => (await statusOf(cluster)).seenAt, { timeout: 30_000 }).toBeDefined();
    const status = await statusOf(cluster);
    expect(status.virtualIpHolders).toEqual((await cluster.vipHolders()).map(({ name }) => name));
    expect([status.etcdLeader]).toEqual(await leaders(cluster));
    const path = 'jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion}{"\\n"}{end}';
    const nodes = (await cluster.kubectl(['get', 'nodes', '-o', path])).trim().split('\n');
    const told = status.hosts.filter(({ kubelet }) => kubelet !== undefined);
    expect(told.map(({ name, kubelet }) => `${name} ${kubelet}`).sort()).toEqual(nodes.sort());
    expect(told.every(({ ready }) => ready)).toBe(true);
    expect(status).toMatchObject({ applied: { from: 'record' }, differences: { lines: [] }, notKnown: [] });
  });

  test('status --exit-code says that all is well, also while neither worker nor host is asked', async () => {
    const cluster = get();
    const { exitCode, stdout } = await cluster.kubewright(['status', cluster.lab.name, '--exit-code']);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toMatch(/held by (?:cp|lb)-\d/);
  });
}
