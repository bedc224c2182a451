import { describe, expect, it } from 'vitest';
import { compareApplied } from '../../../../src/activities/applied/compareApplied.js';
import { renderApplied } from '../../../../src/activities/applied/record/applied-spec.js';
import { carryOut } from '../../../../src/activities/step.js';
import { BUILD } from '../../../../src/build.js';
import { type Cluster, hostsOf } from '../../../../src/cluster/types.js';
import { PLAN_FORMAT } from '../../../../src/plan/run.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, hostIn } from '../fake-hosts.js';
import { livingHosts } from './living.js';

/** A cluster that was installed and recorded, and a file of today. */
function recorded(made: Cluster, file: Cluster, change: (text: string) => string = (text) => text) {
  const hosts = livingHosts(made);
  const how = { generation: 3, operation: 'install', planFormat: PLAN_FORMAT, build: BUILD } as const;
  const text = renderApplied({ ...how, run: 'r', at: '2026-01-01T00:00:00Z', leftOut: [], cluster: made });
  const controlPlanes = hostsOf(made, 'control-plane').map(({ name }) => hostIn(hosts, name));
  for (const host of controlPlanes) host.fact('recorded-copy', change(text));
  return { hosts, controlPlanes, context: contextAmong(hosts, file, 'compareApplied', null) };
}

const without = (cluster: Cluster, name: string): Cluster => ({
  ...cluster,
  hosts: cluster.hosts.filter((host) => host.name !== name),
});

describe('what was recorded as applied, beside what the hosts say', () => {
  const made = clusterOf({ controlPlanes: 3, workers: 2 });

  it('adds nothing where nothing was edited', async () => {
    const { context } = recorded(made, made);
    expect(await compareApplied.probe(context)).toMatchObject({ comparison: { differences: [], unchecked: [] } });
  });

  it('tells another pod network, which leaves nothing by which the cluster itself could tell it', async () => {
    const { context } = recorded({ ...made, network: { plugin: 'none' } }, made);
    const { comparison } = await compareApplied.probe(context);
    expect(comparison?.differences).toMatchObject([
      { key: 'spec.network.plugin', applied: 'none', wanted: 'flannel', verdict: 'never' },
    ]);
  });

  it('knows a worker that the file no longer names, also when its node is gone', async () => {
    const { context, controlPlanes } = recorded(made, without(made, 'w-2'));
    const nodes = (host: FakeHost) =>
      (host.facts.get('nodes') ?? '').split('\n').filter((line) => !line.startsWith('w-2'));
    for (const host of controlPlanes) host.fact('nodes', nodes(host).join('\n'));
    const { comparison } = await compareApplied.probe(context);
    expect(comparison?.differences).toMatchObject([
      { key: 'spec.hosts[w-2]', applied: 'a worker at 10.88.0.22, and no node any more', verdict: 'stays' },
    ]);
  });

  it('refuses to forget a director, whose keepalived would go on taking the virtual IP', async () => {
    const behind = clusterOf(
      { controlPlanes: 3, workers: 2, directors: 2 },
      { loadBalancer: { type: 'lvs', source: 'bundle' } },
    );
    behind.endpoint.port = 6443;
    const { context } = recorded(behind, without(behind, 'lb-2'));
    const { comparison } = await compareApplied.probe(context);
    expect(comparison?.differences).toMatchObject([
      { key: 'spec.hosts[lb-2].role', applied: 'a director at 10.88.0.72', wanted: 'nothing', verdict: 'refused' },
    ]);
  });

  it('names another load balancer: two of them would fight for the virtual IP', async () => {
    const { context } = recorded(made, { ...made, loadBalancer: { type: 'static-pods', images: null } });
    const { comparison } = await compareApplied.probe(context);
    expect(comparison?.differences).toMatchObject([
      { key: 'spec.loadBalancer.type', applied: 'haproxy-keepalived', wanted: 'static-pods', verdict: 'refused' },
    ]);
  });

  it('names the member of external etcd that the file no longer has', async () => {
    const external = clusterOf({ controlPlanes: 1, workers: 1, etcd: 3 });
    const { context } = recorded(external, without(external, 'etcd-3'));
    const { comparison } = await compareApplied.probe(context);
    expect(comparison?.differences).toContainEqual(
      expect.objectContaining({ key: 'spec.hosts[etcd-3].role', wanted: 'nothing', verdict: 'refused' }),
    );
  });

  it('tells what was taken out of the file where no control plane keeps what the cluster was begun with', async () => {
    const before = clusterOf({ controlPlanes: 3, workers: 2 });
    before.kubernetes.kubelet.config = { maxPods: 200 };
    before.kubernetes.kubelet.extraArgs = [{ name: 'v', value: '4' }];
    const { context, controlPlanes } = recorded(before, made);
    for (const host of controlPlanes) host.facts.delete('begun');
    const { comparison } = await compareApplied.probe(context);
    expect(comparison?.differences).toMatchObject([
      { key: 'spec.kubernetes.kubelet.config.maxPods', applied: '200', wanted: 'nothing' },
      { key: 'spec.kubernetes.kubelet.extraArgs.v', applied: '4', wanted: 'nothing' },
    ]);
    expect(comparison?.unchecked).toEqual([]);
  });

  it('has no effect once it was changed by hand, and that is said', async () => {
    const { context } = recorded(made, made, (text) => text.replaceAll('w-2', 'w-9'));
    const { comparison } = await compareApplied.probe(context);
    expect(comparison?.differences).toEqual([]);
    expect(comparison?.unchecked).toEqual(
      ['cp-1', 'cp-2', 'cp-3'].map((name) => expect.stringMatching(`applied.json on ${name}: it was changed by hand`)),
    );
  });

  it('stops an install before the first change when a newer version wrote it', async () => {
    const { context } = recorded(made, made, (text) => text.replace('"format": 1', '"format": 3'));
    await expect(carryOut(compareApplied, context)).rejects.toMatchObject({ code: 'KW592' });
  });
});
