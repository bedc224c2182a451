import { describe, expect, it } from 'vitest';
import { preflightError } from '../../../../src/activities/prepare/checks/index.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import { CLUSTER, INSTALLED, ownerLine, problemsWith } from './fixtures.js';

function withKubernetes(change: Partial<Cluster['kubernetes']>): Cluster {
  return { ...CLUSTER, kubernetes: { ...CLUSTER.kubernetes, ...change } };
}

const problems = problemsWith;
const owner = ownerLine;
const NODE = { leftover: INSTALLED.leftover, kubelet: INSTALLED.kubelet };

describe('a host', () => {
  it.each(['control-plane', 'worker', 'etcd'] as const)('that is fit as %s has no problems', (role) => {
    expect(problems({}, { role })).toEqual([]);
  });

  it.each([
    ['another kernel', { kernel: [['FreeBSD', 'amd64', '14']] }, 'KW301', 'FreeBSD'],
    ['another init', { init: [['busybox']] }, 'KW301', 'busybox'],
    ['an old systemd', { systemd: [['237']] }, 'KW301', '237'],
    ['an old release', { os: [['ID=debian'], ['VERSION_ID="11"'], ['PRETTY_NAME="Debian 11"']] }, 'KW302', 'Debian 11'],
    ['another family', { os: [['ID=arch'], ['PRETTY_NAME="Arch Linux"']] }, 'KW302', 'Arch Linux'],
    [
      'a rebuild of RHEL 8',
      { os: [['ID=rocky'], ['VERSION_ID="8.10"'], ['PRETTY_NAME="Rocky 8"']] },
      'KW302',
      'Rocky 8',
    ],
    ['SELinux that is enforcing', { selinux: [['enforcing']] }, 'KW348', 'SELinux is enforcing'],
    ['another architecture', { kernel: [['Linux', 'riscv64', '6.1']] }, 'KW303', 'riscv64'],
    ['a kernel of 2018', { kernel: [['Linux', 'x86_64', '4.19.0-27-amd64']] }, 'KW341', '4.19.0-27-amd64'],
    ['missing tools', { missing: [['ss'], ['ip']] }, 'KW304', 'ss and ip'],
    ['no name', { hostname: [['localhost.localdomain']] }, 'KW305', 'localhost.localdomain'],
    ['no machine id', { 'machine-id': [['']] }, 'KW305', 'machine id'],
    ['another address', { address: [['eth0', '10.9.0.1/24', '02:1']] }, 'KW306', '10.9.0.1'],
    [
      'no overlayfs',
      {
        feature: [
          ['br_netfilter', 'present'],
          ['vxlan', 'present'],
        ],
      },
      'KW307',
      'overlay',
    ],
    ['no memory cgroup', { controllers: [['cpuset', 'cpu', 'io', 'pids']] }, 'KW308', 'memory'],
    ['a read-only /proc/sys', { sysctls: [] }, 'KW309', 'read-only'],
    ['one CPU', { cpus: [['1']] }, 'KW310', '1 CPU'],
    ['little memory', { memory: [['MemTotal', '1500000']] }, 'KW310', '1464 MiB'],
    [
      'no vxlan',
      {
        feature: [
          ['br_netfilter', 'present'],
          ['overlay', 'present'],
        ],
      },
      'KW307',
      "vxlan (flannel's vxlan backend)",
    ],
    [
      'a module that is forbidden',
      { blocked: [['br_netfilter', 'install br_netfilter /bin/false']] },
      'KW329',
      'install br_netfilter /bin/false',
    ],
    [
      'a folder without programs',
      { noexec: [['/var/lib/containerd', '/var']] },
      'KW324',
      '/var is mounted with noexec',
    ],
    ['a link to nowhere', { dangling: [['/var/lib/etcd', '/data/etcd']] }, 'KW324', '/data/etcd'],
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

  it('are judged by all who listen: a second one behind ours counts', () => {
    const port = [
      ['8443', 'haproxy'],
      ['8443', 'nginx'],
    ];
    expect(problems({ port, owner: owner(), ...NODE })).toEqual([
      expect.objectContaining({ code: 'KW313', what: 'a port is taken: 8443 (wanted by haproxy) by nginx' }),
    ]);
  });

  it.each([
    ['8404, where HAProxy tells how it is', { port: [['8404', 'python3']] }, /8404 \(wanted by haproxy\) by python3/],
    ['8472 of the pod network, by UDP', { udp: [['8472', '']] }, /UDP 8472 .* by the kernel/],
  ] as [string, Record<string, string[][]>, RegExp][])('include %s', (_, changes, says) => {
    expect(problems(changes)).toEqual([expect.objectContaining({ code: 'KW313', what: expect.stringMatching(says) })]);
  });

  it("include the pod network's where it has been moved to, and are its own on a node", () => {
    const cluster = { ...CLUSTER, network: { ...CLUSTER.network, backend: { Type: 'vxlan', Port: 4789 } } };
    expect(problems({ udp: [['8472', '']] }, { cluster })).toEqual([]);
    expect(problems({ udp: [['4789', 'x']] }, { cluster })).toHaveLength(1);
    expect(problems({ udp: [['8472', '']], owner: owner(), ...NODE })).toEqual([]);
    expect(problems({ udp: [['8472', '']] }, { role: 'etcd' })).toEqual([]);
  });

  it.each([
    ['the kubelet', { port: 10350 }, {}, 10250, 10350],
    ["the kubelet's health", { healthzPort: 10348 }, {}, 10248, 10348],
    ["kube-proxy's metrics", {}, { metricsBindAddress: '0.0.0.0:10349' }, 10249, 10349],
    ["kube-proxy's health", {}, { healthzBindAddress: '0.0.0.0:10356' }, 10256, 10356],
  ])('follow what cluster.yaml chooses for %s', (_, kubelet, kubeProxy, former, now) => {
    const kubernetes = {
      ...CLUSTER.kubernetes,
      kubelet: { ...CLUSTER.kubernetes.kubelet, config: kubelet },
      kubeProxy: { config: kubeProxy },
    };
    const taken = (port: number) => problems({ port: [[`${port}`, 'nginx']] }, { cluster: { ...CLUSTER, kubernetes } });
    expect(problems({ port: [[`${former}`, 'nginx']] })).toHaveLength(1);
    expect(taken(former)).toEqual([]);
    expect(taken(now)).toEqual([expect.objectContaining({ code: 'KW313' })]);
  });

  it('follow endpoint.port', () => {
    const cluster = { ...CLUSTER, endpoint: { ...CLUSTER.endpoint, port: 9443 } };
    expect(problems({ port: [['8443', 'nginx']] }, { cluster })).toEqual([]);
    expect(problems({ port: [['9443', 'nginx']] }, { cluster })).toHaveLength(1);
  });
});

describe('what is not proven, or not known', () => {
  it('is a release that no test installs: a warning', () => {
    const os = [['ID=debian'], ['VERSION_ID="13"'], ['PRETTY_NAME="Debian 13"']];
    expect(problems({ os })).toEqual([
      expect.objectContaining({ code: 'KW328', severity: 'warning', what: expect.stringContaining('Debian 13') }),
    ]);
  });

  it.each(['rhel', 'rocky', 'almalinux', 'centos', 'openEuler'])('is every release of %s: a warning', (id) => {
    const os = [[`ID=${id}`], ['VERSION_ID="24.03"'], ['PRETTY_NAME="The newest one"']];
    expect(problems({ os }).map(({ code, severity }) => [code, severity])).toEqual([['KW328', 'warning']]);
    const [tools] = problems({ os, missing: [['tar']] }).filter(({ code }) => code === 'KW304');
    expect(tools?.hint).toContain('dnf install');
  });

  it('is never taken for a pass: what could not be asked is named', () => {
    const unknown = [['the TCP ports in use', 'ss', 'ss failed with exit code 1']];
    expect(problems({ unknown, port: [] })).toEqual([
      expect.objectContaining({
        code: 'KW343',
        what: 'could not look at the TCP ports in use: ss failed with exit code 1',
      }),
    ]);
  });

  it.each(['disk', 'cgroup', 'now'])('is what a host does not say of itself: %s', (name) => {
    expect(problems({ [name]: [] })).toEqual([expect.objectContaining({ code: 'KW343' })]);
  });

  it('is told once: a tool that is missing explains itself', () => {
    const unknown = [['its routes', 'ip', 'ip failed with exit code 127']];
    expect(problems({ unknown, missing: [['ip']] }).map(({ code }) => code)).toEqual(['KW304']);
  });

  it.each(['control-plane', 'worker', 'etcd'] as const)('forbids no module that %s does not need', (role) => {
    expect(problems({ blocked: [['wireguard', 'blacklist wireguard']] }, { role })).toEqual([]);
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

describe('a host that bears this cluster', () => {
  it('may have an SELinux that is enforcing, with a warning', () => {
    const selinux = [['enforcing']];
    expect(problems({ selinux, owner: owner(), ...NODE })).toEqual([
      expect.objectContaining({ code: 'KW348', severity: 'warning' }),
    ]);
    expect(problems({ selinux })).toEqual([expect.not.objectContaining({ severity: 'warning' })]);
  });
});
