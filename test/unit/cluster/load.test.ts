import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCluster, parseCluster } from '../../../src/cluster/load.js';
import { ClusterFileError, formatProblem } from '../../../src/cluster/problem.js';
import { etcdHosts, hostsOf } from '../../../src/cluster/types.js';
import { BASE, edited, parse, problemsOf } from './helpers.js';

const EXAMPLES = join(import.meta.dirname, '../../../examples/clusters');
const directory = mkdtempSync(join(tmpdir(), 'kubewright-cluster-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function errorOf(path: string): Promise<ClusterFileError> {
  const outcome = await loadCluster(path).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ClusterFileError);
  return outcome as ClusterFileError;
}

describe('loadCluster', () => {
  it.each(readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml')))(
    'takes examples/clusters/%s without a word',
    async (name) => {
      const { warnings } = await loadCluster(join(EXAMPLES, name));
      expect(warnings.map(formatProblem)).toEqual([]);
    },
  );

  it('needs ten lines for a plain cluster', async () => {
    const path = join(EXAMPLES, 'minimal.yaml');
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(10);
    const { cluster } = await loadCluster(path);
    expect(hostsOf(cluster, 'control-plane').map((host) => host.name)).toEqual(['cp-1', 'cp-2', 'cp-3']);
    expect(hostsOf(cluster, 'worker').map((host) => host.name)).toEqual(['w-1']);
  });

  it('finds the external topology by the role of the hosts', async () => {
    const { cluster } = await loadCluster(join(EXAMPLES, 'external-etcd.yaml'));
    expect(cluster.etcd.topology).toBe('external');
    expect(etcdHosts(cluster).map((host) => host.name)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  });

  it('reads kubeadm patches beside the file', async () => {
    const { cluster } = await loadCluster(join(EXAMPLES, 'customised.yaml'));
    expect(cluster.kubernetes.patches.map((patch) => patch.name)).toEqual([
      'etcd+json.yaml',
      'kube-apiserver0+merge.yaml',
    ]);
    expect(cluster.kubernetes.patches[1]?.content).toContain('example.org/audited');
  });

  it('names the file that cannot be read, and why', async () => {
    expect((await errorOf(join(directory, 'absent.yaml'))).problems).toMatchObject([
      {
        line: 1,
        column: 1,
        code: 'unreadable',
        message: 'the file cannot be read: there is no such file or directory',
      },
    ]);
    expect((await errorOf(directory)).problems[0]?.message).toBe('the file cannot be read: it is a directory');
  });

  it('stops reading a file without an end', async () => {
    expect((await errorOf('/dev/zero')).problems[0]?.code).toBe('too-large');
  });

  it.each([
    ['UTF-16', Buffer.from(`\ufeff${BASE}`, 'utf16le'), '1:1', 'UTF-16'],
    ['Latin-1', Buffer.from(edited(['name: demo', 'name: caf\u00e9']), 'latin1'), '4:12', 'not UTF-8'],
    [
      'a byte that is not UTF-8 after a real U+FFFD',
      Buffer.concat([Buffer.from('# \ufffd\n# '), Buffer.from([0xff])]),
      '2:3',
      'not UTF-8',
    ],
    ['a binary', Buffer.from('\u007fELF\u0002\u0001\u0000\u0000'), '1:1', 'U+007F'],
    ['an escape sequence', Buffer.from('# title\nname: \u001b[31mred\n'), '2:7', 'U+001B'],
  ])('says where a file in %s leaves the text', async (_name, bytes, place, message) => {
    const path = join(directory, 'encoding.yaml');
    writeFileSync(path, bytes);
    const [problem, ...more] = (await errorOf(path)).problems;
    expect(more).toEqual([]);
    expect(`${problem?.line}:${problem?.column}`).toBe(place);
    expect(problem?.message).toContain(message);
  });
});

describe('ClusterFileError', () => {
  it('carries its code, every problem in the order of the file, and a hint', () => {
    const text = edited(
      ['vip: 10.88.0.100', 'vip: ten'],
      ['name: w-1', 'name: cp-1'],
      ['kind: Cluster', 'kind: Klaster'],
    );
    const outcome = (() => {
      try {
        return parseCluster(text, { path: 'site/cluster.yaml', directory: '/' });
      } catch (error) {
        return error;
      }
    })();
    expect(outcome).toMatchObject({
      name: 'KubewrightError',
      code: 'KW101',
      message: expect.stringContaining('3 errors'),
    });
    const { problems, hint } = outcome as ClusterFileError;
    expect(problems.map((problem) => problem.line)).toEqual([2, 7, 18]);
    expect(hint).toContain('kubewright validate');
    expect(formatProblem(problems[1] as (typeof problems)[number])).toBe(
      'site/cluster.yaml:7:10: spec.endpoint.vip: is not valid (found "ten", expected an IPv4 address such as 10.88.0.100)',
    );
  });

  it('never shows what may be a secret', () => {
    const secret = 'hunter2 hunter2';
    const texts = [
      `${BASE}  ssh:\n    password: "${secret}"\n`,
      `${BASE}  ssh:\n    sudoPasswordEnv: "${secret}"\n`,
      `${BASE}  ssh:\n    keyFile: "-----BEGIN OPENSSH PRIVATE KEY----- ${secret}"\n`,
      `${BASE}  runtime:\n    config: { registry: { auth: { password: "${secret}" } } }\n`,
    ];
    for (const text of texts) {
      const problems = problemsOf(text);
      expect(problems.filter((problem) => problem.severity === 'error')).toHaveLength(1);
      expect(JSON.stringify(problems)).not.toContain(secret);
    }
  });
});

describe('a resolved cluster', () => {
  it('has every default', () => {
    expect(parse(BASE)).toMatchInlineSnapshot(`
      {
        "endpoint": {
          "advertIntervalMs": 200,
          "interface": null,
          "port": 8443,
          "prefixLength": 24,
          "vip": "10.88.0.100",
          "virtualRouterId": 100,
        },
        "etcd": {
          "extraArgs": [],
          "topology": "stacked",
        },
        "hosts": [
          {
            "address": "10.88.0.11",
            "labels": {},
            "name": "cp-1",
            "role": "control-plane",
            "ssh": {
              "address": "10.88.0.11",
              "agent": true,
              "bastion": null,
              "configFile": "~/.ssh/config",
              "hostKeys": "strict",
              "keyFiles": [],
              "knownHostsFile": "~/.ssh/known_hosts",
              "port": 22,
              "sudoPasswordEnv": null,
              "user": "root",
            },
            "taints": null,
          },
          {
            "address": "10.88.0.12",
            "labels": {},
            "name": "cp-2",
            "role": "control-plane",
            "ssh": {
              "address": "10.88.0.12",
              "agent": true,
              "bastion": null,
              "configFile": "~/.ssh/config",
              "hostKeys": "strict",
              "keyFiles": [],
              "knownHostsFile": "~/.ssh/known_hosts",
              "port": 22,
              "sudoPasswordEnv": null,
              "user": "root",
            },
            "taints": null,
          },
          {
            "address": "10.88.0.13",
            "labels": {},
            "name": "cp-3",
            "role": "control-plane",
            "ssh": {
              "address": "10.88.0.13",
              "agent": true,
              "bastion": null,
              "configFile": "~/.ssh/config",
              "hostKeys": "strict",
              "keyFiles": [],
              "knownHostsFile": "~/.ssh/known_hosts",
              "port": 22,
              "sudoPasswordEnv": null,
              "user": "root",
            },
            "taints": null,
          },
          {
            "address": "10.88.0.21",
            "labels": {},
            "name": "w-1",
            "role": "worker",
            "ssh": {
              "address": "10.88.0.21",
              "agent": true,
              "bastion": null,
              "configFile": "~/.ssh/config",
              "hostKeys": "strict",
              "keyFiles": [],
              "knownHostsFile": "~/.ssh/known_hosts",
              "port": 22,
              "sudoPasswordEnv": null,
              "user": "root",
            },
            "taints": null,
          },
        ],
        "kubernetes": {
          "apiServer": {
            "extraArgs": [],
          },
          "certificateSANs": [],
          "controllerManager": {
            "extraArgs": [],
          },
          "dnsDomain": "cluster.local",
          "ignorePreflightErrors": [],
          "kubeProxy": {
            "config": {},
          },
          "kubelet": {
            "config": {},
            "extraArgs": [],
          },
          "patches": [],
          "podSubnet": "10.244.0.0/16",
          "scheduler": {
            "extraArgs": [],
          },
          "serviceSubnet": "10.96.0.0/12",
          "version": "1.34.3",
        },
        "loadBalancer": {
          "type": "haproxy-keepalived",
        },
        "name": "demo",
        "network": {
          "backend": {
            "Type": "vxlan",
          },
          "plugin": "flannel",
        },
        "packages": {
          "bundle": null,
          "source": "bundle",
        },
        "runtime": {
          "config": {},
          "type": "containerd",
        },
        "sysctls": {},
      }
    `);
  });

  it('takes a leading v, both ways to write flags, and values of any scalar type as text', () => {
    const cluster = parse(`${BASE}  kubernetes:
    version: v1.34.3
    apiServer: { extraArgs: { audit-log-maxage: 30, profiling: false, v: "2" } }
    scheduler: { extraArgs: [{ name: feature-gates, value: A=true }, { name: feature-gates, value: B=true }] }
  sysctls: { vm.max_map_count: 262144, net.ipv4.tcp_rmem: 4096 87380 6291456 }
`);
    expect(cluster.kubernetes.version).toBe('1.34.3');
    expect(cluster.kubernetes.apiServer.extraArgs).toEqual([
      { name: 'audit-log-maxage', value: '30' },
      { name: 'profiling', value: 'false' },
      { name: 'v', value: '2' },
    ]);
    expect(cluster.kubernetes.scheduler.extraArgs.map((arg) => arg.value)).toEqual(['A=true', 'B=true']);
    expect(cluster.sysctls).toEqual({ 'vm.max_map_count': '262144', 'net.ipv4.tcp_rmem': '4096 87380 6291456' });
  });

  it('gives each host the SSH settings of all, and its own over them', () => {
    const cluster = parse(`${edited([
      'role: worker',
      `role: worker
      ssh: { address: w.example.org, user: root, keyFiles: [/keys/a, b], bastion: null, configFile: null }`,
    ])}  ssh:
    user: deploy
    port: 2222
    keyFile: ./keys/id
    agent: false
    sudoPasswordEnv: SUDO
    bastion: { address: 192.0.2.1, user: jump }
`);
    const [first, , , last] = cluster.hosts.map((host) => host.ssh);
    expect(first).toEqual({
      address: '10.88.0.11',
      port: 2222,
      user: 'deploy',
      keyFiles: ['/home/ada/site/keys/id'],
      agent: false,
      configFile: '~/.ssh/config',
      knownHostsFile: '~/.ssh/known_hosts',
      hostKeys: 'strict',
      bastion: { address: '192.0.2.1', port: 22, user: 'jump', keyFiles: ['/home/ada/site/keys/id'] },
      sudoPasswordEnv: 'SUDO',
    });
    expect(last).toMatchObject({
      address: 'w.example.org',
      user: 'root',
      port: 2222,
      keyFiles: ['/keys/a', '/home/ada/site/b'],
      bastion: null,
      configFile: null,
      sudoPasswordEnv: 'SUDO',
    });
  });

  it('derives the VRRP id from the VIP, and never 0', () => {
    expect(parse(BASE).endpoint.virtualRouterId).toBe(100);
    const wide = edited(['vip: 10.88.0.100', 'vip: 10.88.1.0\n    prefixLength: 16']);
    expect(parse(wide).endpoint.virtualRouterId).toBe(1);
  });

  it('tells "no taints" from "the usual ones", and adds to the backend of the network', () => {
    const cluster = parse(
      `${edited(['name: cp-1', 'name: cp-1\n      taints: []'])}  network: { backend: { Port: 8472 } }\n`,
    );
    expect(cluster.hosts.slice(0, 2).map((host) => host.taints)).toEqual([[], null]);
    expect(cluster.network.backend).toEqual({ Type: 'vxlan', Port: 8472 });
  });

  it('takes an empty section for one that is not there', () => {
    const empty = ['kubernetes', 'etcd', 'runtime', 'network', 'packages', 'sysctls', 'ssh', 'loadBalancer'];
    expect(parse(`${BASE}${empty.map((key) => `  ${key}:\n`).join('')}`)).toEqual(parse(BASE));
  });

  it('follows anchors and merges', () => {
    const text = edited(
      ['metadata:', 'metadata: &meta'],
      ['role: worker', 'role: worker\n      ssh: &ssh { port: 2200 }'],
    );
    const merged = text.replace(
      'role: control-plane',
      'role: control-plane\n      ssh: { <<: [{ user: ada }], port: 2201 }',
    );
    expect(parse(merged).hosts[0]?.ssh).toMatchObject({ user: 'ada', port: 2201 });
  });

  it('resolves the bundle against the directory of the file, and leaves ~ to the worker', () => {
    expect(parse(`${BASE}  packages: { bundle: ./bundle }\n`).packages.bundle).toBe('/home/ada/site/bundle');
    expect(parse(`${BASE}  packages: { bundle: ~/bundle }\n`).packages.bundle).toBe('~/bundle');
  });
});
