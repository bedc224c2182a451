import { describe, expect, it } from 'vitest';
import { BASE, edited, parse } from './helpers.js';

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
          "version": "1.37.2",
        },
        "loadBalancer": {
          "source": "bundle",
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
          "proxy": null,
          "source": "bundle",
        },
        "preflight": {
          "ignore": [],
        },
        "runtime": {
          "config": {},
          "source": "bundle",
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

  it('names the SSH client only where it is not the built-in one, so that older clusters stay equal', () => {
    const clientsOf = (ssh: string): (string | undefined)[] => {
      const hosts = parse(`${BASE}${ssh}`).hosts;
      return [...new Set(hosts.map((host) => ('client' in host.ssh ? host.ssh.client : undefined)))];
    };
    expect(clientsOf('')).toEqual([undefined]);
    expect(clientsOf('  ssh: { client: ssh2 }\n')).toEqual([undefined]);
    expect(clientsOf('  ssh: { client: openssh }\n')).toEqual(['openssh']);
  });

  it('derives the VRRP id from the VIP, and never 0', () => {
    expect(parse(BASE).endpoint).toMatchObject({ virtualRouterId: 100 });
    const wide = edited(['vip: 10.88.0.100', 'vip: 10.88.1.0\n    prefixLength: 16']);
    expect(parse(wide).endpoint).toMatchObject({ virtualRouterId: 1 });
  });

  it('tells "no taints" from "the usual ones", and adds to the backend of the network', () => {
    const cluster = parse(
      `${edited(['name: cp-1', 'name: cp-1\n      taints: []'])}  network: { backend: { Port: 8472 } }\n`,
    );
    expect(cluster.hosts.slice(0, 2).map((host) => host.taints)).toEqual([[], null]);
    expect(cluster.network).toEqual({ plugin: 'flannel', backend: { Type: 'vxlan', Port: 8472 } });
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
    expect(parse(`${BASE}  packages: { bundle: ./bundle }\n`).packages).toMatchObject({
      bundle: '/home/ada/site/bundle',
    });
    expect(parse(`${BASE}  packages: { bundle: ~/bundle }\n`).packages).toMatchObject({ bundle: '~/bundle' });
  });

  it('takes a proxy for packages, and none that has a password in it', () => {
    const packages = (proxy: string) => `${BASE}  packages: { proxy: '${proxy}' }\n`;
    expect(parse(BASE).packages.proxy).toBeNull();
    expect(parse(packages('http://proxy.example.org:3128')).packages.proxy).toBe('http://proxy.example.org:3128');
    for (const wrong of ['http://ada:secret@proxy.example.org:3128', 'proxy.example.org:3128', "http://a.b/' -o x"]) {
      expect(() => parse(packages(wrong)), wrong).toThrow();
    }
  });
});
