import { describe, expect, it } from 'vitest';
import {
  bySeverity,
  type Problem,
  preflightError,
  problemsOf,
} from '../../../../src/activities/prepare/checks/index.js';
import type { Cluster, Role } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BUNDLE, factsWith } from './fixtures.js';

const CLUSTER = clusterOf({ controlPlanes: 3, workers: 1 });

function problems(
  changes: Parameters<typeof factsWith>[0],
  { cluster = CLUSTER, role = 'control-plane' as Role, bundle = BUNDLE as typeof BUNDLE | undefined } = {},
): Problem[] {
  const host = { ...(cluster.hosts[0] as Cluster['hosts'][number]), role };
  return problemsOf({ cluster, host, facts: factsWith(changes) }, bundle);
}

function withKubernetes(change: Partial<Cluster['kubernetes']>): Cluster {
  return { ...CLUSTER, kubernetes: { ...CLUSTER.kubernetes, ...change } };
}

const OWNER = {
  cluster: 'demo',
  host: 'cp-1',
  address: '10.88.0.11',
  endpoint: '10.88.0.100:8443',
  caFingerprint: null,
};
const owner = (change: Partial<Record<keyof typeof OWNER, string | null>> = {}) => [
  [JSON.stringify({ ...OWNER, ...change })],
];
const NODE = {
  leftover: [
    ['node', 'kubeadm', '/etc/kubernetes/kubelet.conf'],
    ['begun', 'kubeadm', '/var/lib/kubelet/config.yaml'],
  ],
  kubelet: [['active']],
};

describe('a host', () => {
  it.each(['control-plane', 'worker', 'etcd'] as const)('that is fit as %s has no problems', (role) => {
    expect(problems({}, { role })).toEqual([]);
  });

  it.each([
    ['another kernel', { kernel: [['FreeBSD', 'amd64', '14']] }, 'KW301', 'FreeBSD'],
    ['another init', { init: [['busybox']] }, 'KW301', 'busybox'],
    ['an old systemd', { systemd: [['237']] }, 'KW301', '237'],
    ['an old release', { os: [['ID=debian'], ['VERSION_ID="10"'], ['PRETTY_NAME="Debian 10"']] }, 'KW302', 'Debian 10'],
    ['another family', { os: [['ID=rocky'], ['PRETTY_NAME="Rocky Linux 9"']] }, 'KW302', 'Rocky Linux 9'],
    ['another architecture', { kernel: [['Linux', 'riscv64', '6.1']] }, 'KW303', 'riscv64'],
    ['missing tools', { missing: [['ss'], ['ip']] }, 'KW304', 'ss and ip'],
    ['no name', { hostname: [['localhost.localdomain']] }, 'KW305', 'localhost.localdomain'],
    ['no machine id', { 'machine-id': [['']] }, 'KW305', 'machine id'],
    ['another address', { address: [['eth0', '10.9.0.1/24', '02:1']] }, 'KW306', '10.9.0.1'],
    ['no overlayfs', { feature: [['br_netfilter', 'present']] }, 'KW307', 'overlay'],
    ['no memory cgroup', { controllers: [['cpuset', 'cpu', 'io', 'pids']] }, 'KW308', 'memory'],
    ['a read-only /proc/sys', { sysctls: [] }, 'KW309', 'read-only'],
    ['one CPU', { cpus: [['1']] }, 'KW310', '1 CPU'],
    ['little memory', { memory: [['MemTotal', '1500000']] }, 'KW310', '1464 MiB'],
    ['a taken port', { port: [['6443', 'nginx']] }, 'KW313', '6443 (wanted by kube-apiserver) by nginx'],
  ] as [string, Record<string, string[][]>, string, string][])('with %s is refused', (_, changes, code, says) => {
    const found = problems(changes);
    expect(found).toEqual([expect.objectContaining({ code, what: expect.stringContaining(says) })]);
    expect(found[0]?.hint).toMatch(/^[A-Z].*\.$/s);
  });

  it('tells all that is wrong in one error, each with its code and what to do', () => {
    const error = preflightError(problems({ cpus: [['1']], hostname: [['localhost']] }), 'cp-1');
    expect(error).toMatchObject({ code: 'KW300', host: 'cp-1', transient: false });
    expect(error.message).toMatch(/KW305.*hostnamectl set-hostname cp-1.*KW310/s);
  });

  it('alone with its problem gives the error that code', () => {
    expect(preflightError(problems({ cpus: [['1']] }), 'cp-1')).toMatchObject({
      code: 'KW310',
      hint: expect.stringContaining('NumCPU'),
    });
  });
});

describe('ports', () => {
  it('of a role that this host does not have may be taken', () => {
    expect(
      problems(
        {
          port: [
            ['6443', 'nginx'],
            ['2379', 'etcd'],
          ],
        },
        { role: 'worker' },
      ),
    ).toEqual([]);
  });

  it('held by the own components of an installed node are no problem; the same processes elsewhere are', () => {
    const own = [
      ['6443', 'kube-apiserver'],
      ['10257', 'kube-controller'],
      ['8443', 'haproxy'],
      ['2379', 'etcd'],
    ];
    expect(problems({ port: own, owner: owner(), ...NODE })).toEqual([]);
    expect(problems({ port: [['8443', 'haproxy']] })).toEqual([expect.objectContaining({ code: 'KW313' })]);
    expect(problems({ port: [['8443', 'nginx']], owner: owner() })).toEqual([
      expect.objectContaining({ code: 'KW313' }),
    ]);
  });

  it('follow endpoint.port', () => {
    const cluster = { ...CLUSTER, endpoint: { ...CLUSTER.endpoint, port: 9443 } };
    expect(problems({ port: [['8443', 'nginx']] }, { cluster })).toEqual([]);
    expect(problems({ port: [['9443', 'nginx']] }, { cluster })).toHaveLength(1);
  });
});

describe('what kubeadm is told to ignore', () => {
  it.each(['NumCPU', 'numcpu', 'all'])('is not checked here either: %s', (name) => {
    expect(problems({ cpus: [['1']] }, { cluster: withKubernetes({ ignorePreflightErrors: [name] }) })).toEqual([]);
  });

  it('is checked on control planes only', () => {
    expect(problems({ cpus: [['1']], memory: [['MemTotal', '900000']] }, { role: 'worker' })).toEqual([]);
  });
});

describe('cgroup v1', () => {
  const V1 = { cgroup: [['tmpfs']] };
  it.each([
    ['1.34.3', {}, [], []],
    ['1.35.0', {}, [], ['KW308']],
    ['1.35.0', { failCgroupV1: false }, [], ['KW308']],
    ['1.35.0', {}, ['SystemVerification'], ['KW308']],
    ['1.35.0', { failCgroupV1: false }, ['SystemVerification'], []],
  ])('with %s, kubelet %j, ignored %j', (version, config, ignorePreflightErrors, codes) => {
    const cluster = withKubernetes({ version, kubelet: { config, extraArgs: [] }, ignorePreflightErrors });
    expect(problems(V1, { cluster }).map(({ code }) => code)).toEqual(codes);
  });
});

describe('swap', () => {
  const SWAP = { swap: [['/dev/sda2', '2000000', '1000']] };
  it('is no problem where it can be switched off', () => expect(problems(SWAP)).toEqual([]));

  it('is one where more is swapped out than memory can take back', () => {
    const full = { swap: [['/dev/sda2', '9000000', '8000000']] };
    expect(problems(full)).toEqual([
      expect.objectContaining({ code: 'KW311', what: expect.stringContaining('/dev/sda2') }),
    ]);
  });

  it('is one in a container, whose host it belongs to, unless the kubelet lives with it', () => {
    const inContainer = { ...SWAP, container: [['lxc']] };
    expect(problems(inContainer)).toEqual([expect.objectContaining({ code: 'KW311' })]);
    const cluster = withKubernetes({ kubelet: { config: { failSwapOn: false }, extraArgs: [] } });
    expect(problems(inContainer, { cluster })).toEqual([]);
  });
});

describe('disks', () => {
  const disk = (folder: string, device: string, total: number, free: number) => [
    folder,
    device,
    String(total),
    String(free),
    `/mnt/${device}`,
  ];
  const GIB = 1024 * 1024;
  /** 550 MiB of archives, five times that unpacked and stored, 96 MiB of binaries, 1 GiB of slack; and 15 % to stay free. */
  const NEED = (550 * 6 + 96 + 1024) * 1024;

  const one = (free: number, total = 40 * GIB) => ({
    disk: ['/var/lib/containerd', '/var/lib/kubelet', '/var/lib/kubewright', '/usr/local/bin'].map((folder) =>
      disk(folder, '1', total, free),
    ),
  });

  it('must hold what is going to be installed, and keep free what the kubelet wants', () => {
    const enough = NEED + 0.15 * 40 * GIB;
    expect(problems(one(enough + 1))).toEqual([]);
    expect(problems(one(enough - 1024))).toEqual([
      expect.objectContaining({ code: 'KW312', what: expect.stringContaining('/mnt/1') }),
    ]);
  });

  it('are judged one by one', () => {
    const own = one(38 * GIB);
    own.disk[0] = disk('/var/lib/containerd', '2', 10 * GIB, GIB);
    const found = problems(own);
    expect(found).toHaveLength(1);
    expect(found[0]?.what).toContain('/mnt/2');
  });

  it('may be fuller where evictionHard says so', () => {
    const cluster = withKubernetes({
      kubelet: { config: { evictionHard: { 'imagefs.available': '1%' } }, extraArgs: [] },
    });
    expect(problems(one(NEED + 1), { cluster })).toEqual([]);
  });

  it('are not judged where the node is installed already', () => {
    expect(problems({ ...one(0), owner: owner(), ...NODE })).toEqual([]);
  });
});

describe('a host that belongs to somebody', () => {
  it('of this cluster is fine, finished or not', () => {
    expect(problems({ owner: owner() })).toEqual([]);
    expect(problems({ owner: owner({ caFingerprint: 'sha256:aa' }), ca: [['sha256:aa']], ...NODE })).toEqual([]);
  });

  it.each([
    [
      'another cluster',
      { owner: owner({ cluster: 'prod' }) },
      'KW320',
      /cluster "prod" \(10.88.0.100:8443, as host cp-1\)/,
    ],
    ['a record that is cut short', { owner: [['{"cluster": "de']] }, 'KW320', /owner\.json/],
    [
      'a kubeadm cluster of other making',
      { ...NODE, server: [['https://10.1.1.1:6443']] },
      'KW321',
      /10\.1\.1\.1.*kubelet\.conf.*running kubelet/,
    ],
    ['k3s', { leftover: [['trace', 'k3s', '/var/lib/rancher/k3s']] }, 'KW321', /from k3s: .*k3s/],
    [
      'a CNI of other making',
      { leftover: [['trace', 'another pod network', '/etc/cni/net.d/10-calico.conflist']] },
      'KW321',
      /10-calico/,
    ],
    [
      'the authority of a dead cluster',
      { leftover: [['node', 'kubeadm', '/etc/kubernetes/pki/ca.key']] },
      'KW321',
      /from kubeadm: \/etc\/kubernetes\/pki\/ca\.key/,
    ],
    [
      'more than one wants to read',
      { leftover: Array.from({ length: 9 }, (_, i) => ['trace', 'k0s', `/k/${i}`]) },
      'KW321',
      /\/k\/3 and 5 more$/,
    ],
    [
      'a namesake with another CA',
      { owner: owner({ caFingerprint: 'sha256:aa' }), ca: [['sha256:bb']], ...NODE },
      'KW322',
      /sha256:aa.*sha256:bb/,
    ],
    ['another host of this cluster', { owner: owner({ host: 'w-1' }), ...NODE }, 'KW322', /w-1.*cp-1/],
    ['another VIP', { owner: owner({ endpoint: '10.88.0.99:8443' }), ...NODE }, 'KW322', /10\.88\.0\.99:8443/],
  ] as [string, Record<string, string[][]>, string, RegExp][])('%s is left alone', (_, changes, code, says) => {
    const found = problems(changes);
    expect(found).toEqual([expect.objectContaining({ code, what: expect.stringMatching(says) })]);
  });

  it('is told of what a proper reset left, and taken', () => {
    const found = problems({
      leftover: [
        ['residue', 'kubernetes', 'firewall chains KUBE-*'],
        ['residue', 'kubernetes', 'firewall chains KUBE-*'],
        ['residue', 'flannel', '/run/flannel'],
      ],
    });
    const what = 'an earlier node left firewall chains KUBE-* and /run/flannel';
    expect(found).toEqual([expect.objectContaining({ code: 'KW323', severity: 'warning', what })]);
    expect(bySeverity(found)).toEqual({ errors: [], warnings: found });
  });

  it('with programs of ours and no node yet may be given another name', () => {
    const leftover = [['trace', 'kubernetes', '/usr/local/bin/kubelet']];
    expect(problems({ owner: owner({ host: 'w-1' }), leftover })).toEqual([]);
  });

  it('whose name or VIP changed before anything was installed is fine: the record is written anew', () => {
    expect(problems({ owner: owner({ host: 'w-1', endpoint: '10.88.0.99:8443' }) })).toEqual([]);
  });
});

describe('cluster.yaml', () => {
  it('is refused before the first change when runtime.config cannot be written', () => {
    const cluster = { ...CLUSTER, runtime: { ...CLUSTER.runtime, config: { imports: [null] } } };
    expect(problems({}, { cluster })).toEqual([expect.objectContaining({ code: 'KW450' })]);
  });

  it('may name a card only where control planes have it', () => {
    const cluster = { ...CLUSTER, endpoint: { ...CLUSTER.endpoint, interface: 'bond0' } };
    expect(problems({}, { cluster })).toEqual([expect.objectContaining({ code: 'KW306' })]);
    expect(problems({}, { cluster, role: 'worker' })).toEqual([]);
  });
});
