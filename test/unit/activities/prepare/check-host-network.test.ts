import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../../src/cluster/types.js';
import { CLUSTER, INSTALLED, onlyProblem, ownerLine, problemsWith as problems } from './fixtures.js';

const kubelet = (config: Record<string, unknown>): Cluster => ({
  ...CLUSTER,
  kubernetes: { ...CLUSTER.kubernetes, kubelet: { config, extraArgs: [] } },
});

describe('name servers', () => {
  const resolver = (file: string, ...servers: string[]) => ({
    'resolver-file': [[file]],
    nameserver: servers.map((address) => [file, address]),
  });
  const STUB = '/run/systemd/resolve/resolv.conf';

  it.each([
    ['none at all', resolver('/etc/resolv.conf'), /\/etc\/resolv\.conf, from which pods get .* names none/],
    ['one that only the host can reach', resolver('/etc/resolv.conf', '127.0.0.1'), /name server 127\.0\.0\.1/],
    ['one of them on the loopback', resolver('/etc/resolv.conf', '10.0.0.1', '127.0.0.53'), /127\.0\.0\.53/],
    [
      'systemd-resolved without any, beside a plain file with one',
      {
        resolved: [['active']],
        'resolver-file': [['/etc/resolv.conf'], [STUB]],
        nameserver: [['/etc/resolv.conf', '10.0.0.1']],
      },
      /systemd-resolved runs without a name server/,
    ],
    ['no file', { 'resolver-file': [], nameserver: [] }, /there is no \/etc\/resolv\.conf/],
  ] as [string, Record<string, string[][]>, RegExp][])('that pods cannot use are named: %s', (_, changes, says) => {
    const problem = onlyProblem(problems(changes));
    expect(problem).toMatchObject({ code: 'KW316', what: expect.stringMatching(says) });
    expect(problem.hint).toContain('kubernetes.kubelet.config.resolvConf');
    // An etcd host runs no pods that ask for names.
    expect(problems(changes, { role: 'etcd' })).toEqual([]);
  });

  it('of systemd-resolved are those behind its own', () => {
    const behind = {
      resolved: [['active']],
      'resolver-file': [['/etc/resolv.conf'], [STUB]],
      nameserver: [
        ['/etc/resolv.conf', '127.0.0.53'],
        [STUB, '10.0.0.1'],
      ],
    };
    expect(problems(behind)).toEqual([]);
  });

  it('may come from a file of their own, which then has to be there', () => {
    const cluster = kubelet({ resolvConf: '/etc/kubernetes/resolv.conf' });
    const good = {
      'resolver-file': [['/etc/resolv.conf'], ['/etc/kubernetes/resolv.conf']],
      nameserver: [['/etc/kubernetes/resolv.conf', '10.0.0.1']],
    };
    expect(problems(good, { cluster })).toEqual([]);
    expect(onlyProblem(problems({}, { cluster })).what).toContain('there is no /etc/kubernetes/resolv.conf');
  });

  it('are no part of the networks of pods and services', () => {
    expect(onlyProblem(problems(resolver('/etc/resolv.conf', '10.96.0.10')))).toMatchObject({
      code: 'KW317',
      what: expect.stringContaining('10.96.0.10'),
    });
  });
});

describe('addresses and routes', () => {
  const own = ['eth0', '10.88.0.11/24', '02:00:00:00:00:11'];

  it.each([
    ['an address', { address: [own, ['eth1', '10.244.7.1/16', '02:00:00:00:00:12']] }, /pods .* 10\.244\.7\.1 on eth1/],
    ['a route', { route: [['10.100.0.0/16', 'tun0']] }, /services .* route to 10\.100\.0\.0\/16 through tun0/],
    ['the very network', { route: [['10.244.0.0/16', 'br-lan']] }, /pods .* 10\.244\.0\.0\/16 through br-lan/],
    ['a route to nowhere', { route: [['10.244.9.0/24', '']] }, /pods .* the route to 10\.244\.9\.0\/24$/],
  ] as [string, Record<string, string[][]>, RegExp][])(
    'in the cluster’s networks are named: %s',
    (_, changes, says) => {
      expect(onlyProblem(problems(changes))).toMatchObject({ code: 'KW317', what: expect.stringMatching(says) });
      expect(problems(changes, { role: 'etcd' })).toEqual([]);
    },
  );

  it.each([
    ['a larger network of the company', { route: [['10.0.0.0/8', 'eth0']] }],
    ['a neighbour', { route: [['10.243.0.0/16', 'eth0']] }],
    ['an address of a larger network', { address: [own, ['eth1', '10.112.0.1/8', '02:00:00:00:00:12']] }],
  ])('are left alone otherwise: %s', (_, changes) => expect(problems(changes)).toEqual([]));

  it('of the node itself are what they should be', () => {
    const address = [own, ['cni0', '10.244.1.1/24', '02:00:00:00:00:13']];
    const route = [
      ['10.244.1.0/24', 'cni0'],
      ['10.244.2.0/24', 'eth0'],
    ];
    expect(problems({ ...INSTALLED, address, route })).toEqual([]);
  });
});

describe('a card without a hardware address', () => {
  const tunnel = (mac: string) => ({ address: [['wg0', '10.88.0.11/24', mac]] });

  it.each(['', '00:00:00:00:00:00', '0.0.0.0'])('%j cannot carry the virtual IP', (mac) => {
    expect(onlyProblem(problems(tunnel(mac)))).toMatchObject({ code: 'KW327', what: expect.stringContaining('wg0') });
    expect(problems(tunnel(mac), { role: 'worker' })).toEqual([]);
  });

  it('beside the one that carries it is nobody’s business', () => {
    const address = [
      ['eth0', '10.88.0.11/24', '02:00:00:00:00:11'],
      ['wg0', '10.9.0.1/24', ''],
    ];
    expect(problems({ address })).toEqual([]);
    const cluster = { ...CLUSTER, endpoint: { ...CLUSTER.endpoint, interface: 'wg0' } };
    expect(onlyProblem(problems({ address }, { cluster })).code).toBe('KW327');
  });
});

describe('a firewall', () => {
  it.each([
    [
      'ufw',
      [
        ['ufw', 'ufw'],
        ['iptables', 'INPUT'],
      ],
      /ufw/,
      'ufw allow from 10.88.0.12; ufw allow from 10.88.0.13',
    ],
    ['firewalld', [['firewalld', 'firewalld']], /firewalld/, '--add-source=10.244.0.0/16; firewall-cmd --reload'],
    [
      'nftables',
      [['nftables', 'inet f i']],
      /the nftables chain inet f i/,
      'nft insert rule inet f i ip saddr { 10.88.0.11',
    ],
    ['iptables', [['iptables', 'INPUT']], /the iptables chain INPUT/, 'iptables -I INPUT -s 10.244.0.0/16 -j ACCEPT'],
  ] as [string, string[][], RegExp, string][])(
    'that shuts the pods out is named with the rule to add: %s',
    (_, firewall, says, rule) => {
      const problem = onlyProblem(problems({ firewall }));
      expect(problem).toMatchObject({ code: 'KW315', what: expect.stringMatching(says) });
      expect(problem.severity).toBeUndefined();
      expect(problem.hint).toContain(rule);
      expect(problem.hint).toContain('10.244.0.0/16');
    },
  );

  it('that knows the pods is only told of, and so is one where there are none', () => {
    const firewall = [['ufw', 'ufw']];
    expect(onlyProblem(problems({ firewall, 'firewall-lets-pods-in': [['yes']] })).severity).toBe('warning');
    expect(onlyProblem(problems({ firewall }, { role: 'etcd' })).severity).toBe('warning');
  });

  it('of a node that is installed is nobody’s business', () => {
    expect(problems({ ...INSTALLED, firewall: [['iptables', 'INPUT']] })).toEqual([]);
  });
});

describe('a proxy', () => {
  const proxy = ['systemd', 'https_proxy', 'http://proxy:3128'];
  const except = (value: string) => ({ proxy: [proxy, ['systemd', 'no_proxy', value]] });
  const ALL = '10.88.0.0/16, 10.244.0.0/16,10.96.0.0/12';

  it('that systemd gives to the kubelet is named, with what has to go past it', () => {
    const problem = onlyProblem(problems({ proxy: [proxy] }));
    expect(problem).toMatchObject({ code: 'KW314', what: expect.stringContaining('http://proxy:3128') });
    expect(problem.severity).toBeUndefined();
    expect(problem.hint).toContain(
      'NO_PROXY=10.88.0.11,10.88.0.12,10.88.0.13,10.88.0.21,10.88.0.100,10.244.0.0/16,10.96.0.0/12',
    );
  });

  it.each([
    ['localhost,127.0.0.1', '10.88.0.11, '],
    ['10.88.0.0/24,10.244.0.0/16', '10.96.0.0/12'],
    ['10.88.0.0/24,10.244.0.0/24,10.96.0.0/12', '10.244.0.0/16'],
    ['.example.org,10.88.0.11', '10.88.0.12'],
  ])('is in the way when %s is all that is excepted', (value, missing) => {
    expect(onlyProblem(problems(except(value))).what).toContain(missing);
  });

  it.each([
    ['api.example.org', true],
    ['example.org', true],
    ['.example.org', true],
    ['*', true],
    ['.api.example.org', false],
    ['le.org', false],
  ])('with %s excepted lets an API of that name be reached: %s', (entry, isReached) => {
    const cluster: Cluster = {
      ...CLUSTER,
      endpoint: { address: 'api.example.org', port: 6443 },
      loadBalancer: { type: 'external' },
    };
    const found = problems(except(`${ALL},${entry}`), { cluster });
    expect(found.map(({ what }) => what.includes('does not cover api.example.org'))).toEqual(isReached ? [] : [true]);
  });

  it.each([ALL, '*', `${ALL},.svc,localhost`, '10.0.0.0/8'])('may be there when %s is excepted', (value) => {
    expect(problems(except(value))).toEqual([]);
  });

  it('of logins alone is a matter of packages, and only where apt has none', () => {
    const login = [['login', 'http_proxy', 'http://proxy:3128']];
    expect(onlyProblem(problems({ proxy: login }))).toMatchObject({
      code: 'KW314',
      severity: 'warning',
      hint: expect.stringContaining('packages.proxy'),
    });
    const os = [['ID=almalinux'], ['VERSION_ID=9.4']];
    expect(problems({ proxy: login, os }).find(({ code }) => code === 'KW314')).toMatchObject({
      what: expect.stringContaining('and dnf has none'),
      hint: expect.stringContaining('proxy= in /etc/dnf/dnf.conf'),
    });
    expect(problems({ proxy: [...login, ['packages', 'http_proxy', 'http://proxy:3128']] })).toEqual([]);
    const cluster = { ...CLUSTER, packages: { ...CLUSTER.packages, proxy: 'http://proxy:3128' } };
    expect(problems({ proxy: login }, { cluster })).toEqual([]);
    expect(problems({ proxy: login, owner: ownerLine() })).toEqual([]);
  });
});
