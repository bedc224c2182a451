import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../../../src/cluster/load.js';
import { isClusterFileError } from '../../../../../src/cluster/problem.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { renderInitConfig } from '../../../../../src/render/kubeadm.js';
import { renderKubeletUnit } from '../../../../../src/render/kubelet-unit.js';
import { BUNDLE, INSTALLED, onlyProblem, problemsWith } from '../../../activities/prepare/fixtures.js';
import { clusterOf } from '../../../cluster-fixture.js';

const cluster: Cluster = clusterOf(
  { controlPlanes: 3, workers: 1 },
  { runtime: { type: 'crio', source: 'bundle', config: {} } },
);
const bundle = { ...BUNDLE, versions: { ...BUNDLE.versions, 'cri-o': 'v1.34.13', skopeo: '1.9.3-0a1b2c3d' } };
const problems = (facts: Record<string, string[][]> = {}, more: object = {}) =>
  problemsWith(facts, { cluster, bundle, ...more });

describe('a host for CRI-O', () => {
  it.each(['control-plane', 'worker', 'etcd'] as const)('that is fit as %s has no problems', (role) => {
    expect(problems({}, { role })).toEqual([]);
  });

  it.each<[string, Record<string, string[][]>, string, string]>([
    ['with a containerd that starts at boot', { service: [['containerd', 'inactive']] }, 'KW318', 'containerd'],
    ['with a Docker that runs', { service: [['docker', 'active']] }, 'KW318', 'docker'],
    ['with containers of containerd', { containers: [['moby', '2']] }, 'KW318', "2 in containerd's namespace moby"],
    ['with containers of Podman', { containers: [['podman', '1']] }, 'KW318', '1 of Podman'],
    ['with pods under a CRI-O of somebody else', { containers: [['crio', '4']] }, 'KW318', '4 of CRI-O'],
    [
      "with the network of CRI-O's packages",
      { leftover: [['trace', 'another pod network', '/etc/cni/net.d/11-crio-ipv4-bridge.conflist']] },
      'KW323',
      '11-crio-ipv4-bridge.conflist',
    ],
    [
      'whose storage runs no programs',
      { noexec: [['/var/lib/containers/storage', '/var']] },
      'KW324',
      '/var/lib/containers/storage',
    ],
  ])('%s is told so', (_, facts, code, what) => {
    expect(onlyProblem(problems(facts))).toMatchObject({ code, what: expect.stringContaining(what) });
  });

  it('of this cluster whose pods run under something else is left alone', () => {
    const under = (containers: string[][], program: string) =>
      problems({ ...INSTALLED, containers, 'runtime-program': [[program]] }).filter(({ code }) => code === 'KW340');
    expect(under([['k8s.io', '3']], '/usr/bin/containerd')).toHaveLength(1);
    expect(under([['crio', '3']], '/usr/bin/crio')).toHaveLength(1);
    expect(under([['crio', '3']], '/opt/kubewright/cri-o/1.34.13/crio')).toEqual([]);
  });

  it('needs a bundle that has it, of the minor of Kubernetes', () => {
    const lacking = onlyProblem(problems({}, { bundle: BUNDLE }));
    expect(lacking).toMatchObject({ code: 'KW733', what: expect.stringContaining('cri-o and skopeo') });
    expect(lacking.hint).toContain('bundle create --kubernetes 1.34.3 --arch amd64 --from official --runtime crio');
    const other = { ...bundle, versions: { ...bundle.versions, 'cri-o': 'v1.35.8' } };
    expect(onlyProblem(problems({}, { bundle: other }))).toMatchObject({
      code: 'KW319',
      what: expect.stringContaining('1.35.8'),
    });
  });

  it('has room where its images lie', () => {
    const disk = [['/var/lib/containers/storage', '2', '3000000', '1000000', '/var/lib/containers']];
    const found = problems({ disk }).find(({ code }) => code === 'KW312');
    expect(found?.what).toContain('/var/lib/containers has');
  });
});

const FILE = (runtime: string) => `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  runtime:
${runtime
  .trim()
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
    - { name: cp-2, address: 10.88.0.12, role: control-plane }
    - { name: cp-3, address: 10.88.0.13, role: control-plane }
    - { name: w-1, address: 10.88.0.21, role: worker }
`;
const load = (runtime: string) => parseCluster(FILE(runtime), { path: 'cluster.yaml', directory: '/' });
function told(runtime: string): string[] {
  try {
    return load(runtime).warnings.map(({ code, path }) => `${code} ${path}`);
  } catch (error) {
    if (!isClusterFileError(error)) throw error;
    return error.problems.map(({ code, path }) => `${code} ${path}`);
  }
}

describe('runtime.type: crio', () => {
  it('is all that is needed', () => {
    expect(load('type: crio').cluster.runtime).toEqual({ type: 'crio', source: 'bundle', config: {} });
  });

  it('is refused from the distribution', () => {
    expect(told('type: crio\nsource: distribution')).toContain('crio-source spec.runtime.source');
  });

  it.each([
    ['a key that is no part of the table', 'runtime: { pids_limit: 1 }', 'outside-of-crio spec.runtime.config.runtime'],
    [
      'another manager of cgroups',
      'crio: { runtime: { cgroup_manager: cgroupfs } }',
      'managed-setting spec.runtime.config.crio.runtime.cgroup_manager',
    ],
    ['another storage', 'crio: { root: /data }', 'managed-setting spec.runtime.config.crio.root'],
    [
      'a key that CRI-O has given up',
      'crio: { image: { insecure_registries: [a] } }',
      'outdated-setting spec.runtime.config.crio.image.insecure_registries',
    ],
  ])('tells %s', (_, config, expected) => {
    expect(told(`type: crio\nconfig:\n  ${config}`)).toContain(expected);
  });

  it('takes what is the same, and whatever else CRI-O knows', () => {
    expect(told('type: crio\nconfig:\n  crio: { runtime: { cgroup_manager: systemd, pids_limit: 4096 } }')).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/runtime\.config/)]),
    );
  });

  it('gives the kubelet its socket, and has it wait for its unit', () => {
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    expect(renderInitConfig(cluster, host)).toContain('criSocket: unix:///var/run/crio/crio.sock');
    expect(renderKubeletUnit('crio.service')).toContain('After=network-online.target crio.service');
    const steps = planInstall(cluster);
    expect(steps.find(({ id }) => id === 'w-1/runtime')).toMatchObject({
      action: 'configureCrio',
      needs: ['w-1/system', 'w-1/binaries'],
    });
    expect(steps.find(({ id }) => id === 'w-1/images')?.needs).toEqual(['w-1/runtime']);
  });
});
