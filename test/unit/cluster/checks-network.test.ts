import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { HAPROXY_MONITOR_PORT } from '../../../src/components/load-balancer/haproxy-keepalived/render/haproxy.js';
import { BASE, brief, edited, OPTIONS, parse, problemsOf } from './helpers.js';

type Case = [name: string, text: string, expected: string[], message?: string];

function expectThese([, text, expected, message]: Case): void {
  const problems = problemsOf(text);
  expect(problems.map(brief)).toEqual(expected);
  if (message !== undefined) expect(problems[0]?.message).toContain(message);
}

const vip = (address: string, more = '') => edited(['vip: 10.88.0.100', `vip: ${address}${more && `\n    ${more}`}`]);
const kubernetes = (keys: string) => `${BASE}  kubernetes: { ${keys} }\n`;

describe('the VIP', () => {
  const cases: Case[] = [
    ['is not a host', vip('10.88.0.12'), ['7:10 vip-is-host spec.endpoint.vip'], 'the address of cp-2 (line 13)'],
    [
      'is not an SSH address',
      edited(
        ['vip: 10.88.0.100', 'vip: 10.88.0.90'],
        ['role: worker', 'role: worker\n      ssh: { address: 10.88.0.90 }'],
      ),
      ['7:10 vip-is-host spec.endpoint.vip'],
      'w-1 (line 21)',
    ],
    ['is in the subnet', vip('10.88.1.100'), ['7:10 vip-outside-subnet spec.endpoint.vip'], '10.88.1.0/24'],
    ['is not the network', vip('10.88.0.0'), ['7:10 vip-is-edge spec.endpoint.vip'], 'network address'],
    ['is not the broadcast address', vip('10.88.0.255'), ['7:10 vip-is-edge spec.endpoint.vip'], 'broadcast address'],
    [
      'is not the edge of a small subnet',
      vip('10.88.0.31', 'prefixLength: 27'),
      ['7:10 vip-is-edge spec.endpoint.vip'],
      '10.88.0.0/27',
    ],
    ['is an address of a machine', vip('224.0.0.1'), ['7:10 unusable-address spec.endpoint.vip'], 'multicast'],
    [
      'has all control planes in its subnet',
      edited(['address: 10.88.0.13', 'address: 10.88.7.13']),
      ['16:16 outside-vip-subnet spec.hosts[2].address'],
      'could never hold the VIP',
    ],
  ];
  it.each(cases)('%s', (...one) => expectThese(one));

  it('takes a larger subnet when told, and workers elsewhere', () => {
    expect(problemsOf(vip('10.88.1.100', 'prefixLength: 16'))).toEqual([]);
    expect(problemsOf(edited(['address: 10.88.0.21', 'address: 192.168.7.21']))).toEqual([]);
  });
});

describe('networks', () => {
  const cases: Case[] = [
    [
      'pods and services',
      kubernetes('podSubnet: 10.100.0.0/16'),
      ['21:28 networks-overlap spec.kubernetes.podSubnet'],
      'services (10.96.0.0/12) overlap',
    ],
    [
      'services and pods',
      kubernetes('serviceSubnet: 10.244.0.0/20'),
      ['21:32 networks-overlap spec.kubernetes.serviceSubnet'],
    ],
    [
      'pods and hosts',
      kubernetes('podSubnet: 10.88.0.0/16'),
      ['21:28 networks-overlap spec.kubernetes.podSubnet'],
      "the hosts' subnet 10.88.0.0/24 (line 7)",
    ],
    [
      'services and hosts',
      kubernetes('serviceSubnet: 10.88.0.128/26'),
      ['21:32 networks-overlap spec.kubernetes.serviceSubnet'],
    ],
    [
      'pods and a worker elsewhere',
      edited(['address: 10.88.0.21', 'address: 10.244.3.7']),
      ['19:16 networks-overlap spec.hosts[3].address'],
      "10.244.0.0/16, the default) overlaps w-1's address",
    ],
    ['host bits', kubernetes('podSubnet: 10.244.1.0/16'), ['21:28 not-a-network spec.kubernetes.podSubnet']],
    [
      'services too large',
      kubernetes('serviceSubnet: 172.0.0.0/11'),
      ['21:32 service-subnet-size spec.kubernetes.serviceSubnet'],
    ],
    [
      'services too small',
      kubernetes('serviceSubnet: 172.16.0.0/29'),
      ['21:32 service-subnet-size spec.kubernetes.serviceSubnet'],
      'too small',
    ],
    [
      'pods too small',
      kubernetes('podSubnet: 172.16.0.0/23'),
      ['21:28 pod-subnet-size spec.kubernetes.podSubnet'],
      'room for 2 nodes, and there are 4',
    ],
    [
      'pods smaller than one node',
      kubernetes('podSubnet: 172.16.0.0/25'),
      ['21:28 pod-subnet-size spec.kubernetes.podSubnet'],
      'room for 0 nodes',
    ],
    [
      'pods too large',
      kubernetes('podSubnet: 32.0.0.0/7'),
      ['21:28 pod-subnet-size spec.kubernetes.podSubnet'],
      'too large',
    ],
  ];
  it.each(cases)('%s', (...one) => expectThese(one));

  it('are large enough to the last node, also with another mask', () => {
    expect(problemsOf(kubernetes('podSubnet: 172.16.0.0/22'))).toEqual([]);
    const five = `${kubernetes('podSubnet: 172.16.0.0/22').replace('  kubernetes', '    - { name: w-2, address: 10.88.0.22, role: worker }\n  kubernetes')}`;
    expect(problemsOf(five).map(brief)).toEqual(['22:28 pod-subnet-size spec.kubernetes.podSubnet']);
    const mask = 'controllerManager: { extraArgs: { node-cidr-mask-size: 26 } }';
    expect(problemsOf(kubernetes(`podSubnet: 172.16.0.0/24, ${mask}`))).toEqual([]);
  });

  it('says how large the pod network must be', () => {
    expect(problemsOf(kubernetes('podSubnet: 172.16.0.0/25'))[0]?.expected).toBe('a network of /22 or larger');
  });
});

describe('versions', () => {
  const version = (text: string) => kubernetes(`version: ${text}`);
  const cases: Case[] = [
    [
      'that no install would end with',
      version('1.33.9'),
      ['21:26 version-too-old spec.kubernetes.version'],
      'hides a phase',
    ],
    [
      'never installed by a test',
      version('1.34.99'),
      ['! 21:26 version-not-proven spec.kubernetes.version'],
      'not proven',
    ],
    ['without cgroup v1', version('1.35.0'), ['! 21:26 version-not-proven spec.kubernetes.version'], 'cgroup v1'],
    ['years ahead', version('v1.99.1'), ['21:26 version-too-new spec.kubernetes.version'], 'newer Kubewright'],
  ];
  it.each(cases)('%s', (...one) => expectThese(one));

  it('says nothing of cgroups before 1.35', () => {
    expect(problemsOf(version('1.34.9'))[0]?.message).not.toContain('cgroup');
    expect(problemsOf(version(DEFAULTS.kubernetes.version))).toEqual([]);
  });

  it('warns from the day on that follows the last one of the support', () => {
    const on = (today: string) => problemsOf(version('1.34.9'), { ...OPTIONS, today });
    const proof = '! 21:26 version-not-proven spec.kubernetes.version';
    expect(on('2026-10-27').map(brief)).toEqual([proof]);
    const [, ...warned] = on('2026-10-28');
    expect(warned.map(brief)).toEqual(['! 21:26 version-out-of-support spec.kubernetes.version']);
    expect(warned[0]).toMatchObject({
      message: expect.stringContaining('its support ended on 2026-10-27'),
      expected: '1.35, 1.36, 1.37',
    });
    expect(on('2099-01-01')[1]?.expected).toContain('newer Kubewright');
  });
});

describe('ports', () => {
  const port = (number: number) => vip('10.88.0.100', `port: ${number}`);
  it.each([
    [6443, 'the API server binds 6443'],
    [2379, 'etcd (clients)'],
    [2380, 'etcd (peers)'],
    [2381, 'etcd (metrics)'],
    [10248, "the kubelet's health check"],
    [10249, 'kube-proxy (metrics)'],
    [10250, 'the kubelet'],
    [10256, 'kube-proxy (health)'],
    [10257, 'kube-controller-manager'],
    [10259, 'kube-scheduler'],
    [22, 'sshd'],
    [HAPROXY_MONITOR_PORT, "HAProxy's monitor"],
  ])('%d is taken', (number, who) => {
    const problems = problemsOf(port(number));
    expect(problems.map(brief)).toEqual(['8:11 port-collides spec.endpoint.port']);
    expect(problems[0]?.message).toContain(who);
  });

  it('443 is free', () => expect(parse(port(443)).endpoint.port).toBe(443));

  const cases: Case[] = [
    ['a node port', port(30443), ['! 8:11 node-port spec.endpoint.port']],
    [
      "the kubelet at the endpoint's port",
      kubernetes('kubelet: { config: { port: 8443 } }'),
      ['6:3 port-collides spec.endpoint.port'],
      'the kubelet listens on port 8443',
    ],
    [
      'kube-proxy at the port of etcd',
      kubernetes('kubeProxy: { config: { metricsBindAddress: "0.0.0.0:2379" } }'),
      ['21:60 port-collides spec.kubernetes.kubeProxy.config.metricsBindAddress'],
      'etcd (clients)',
    ],
  ];
  it.each(cases)('%s', (...one) => expectThese(one));

  it('sees where the kubelet moved, and ports of SSH that are forwarded', () => {
    const moved = `${port(10250)}  kubernetes: { kubelet: { config: { port: 10260 } } }\n`;
    expect(problemsOf(moved)).toEqual([]);
    const forwarded = BASE.replace('vip: 10.88.0.100', 'vip: 10.88.0.100\n    port: 2222').replace(
      'role: control-plane',
      'role: control-plane\n      ssh: { address: gateway, port: 2222 }',
    );
    expect(problemsOf(forwarded)).toEqual([]);
  });
});
