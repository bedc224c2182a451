import { describe, expect, test } from 'vitest';
import { parseKinds } from '../../../lab/commands/up.js';
import { checkLabName } from '../../../lab/hosts/paths.js';
import { planFromCluster } from '../../../lab/hosts/plan/from-cluster.js';
import { macAddress, planHosts } from '../../../lab/hosts/plan/hosts.js';
import { planLab } from '../../../lab/hosts/plan/lab.js';
import { chooseSubnet, overlap, subnetOf } from '../../../lab/hosts/plan/subnet.js';
import { parseCluster } from '../../../src/cluster/load.js';

const subnet = chooseSubnet([]);

describe('hosts by number', () => {
  const roles = (hosts: number | undefined, topology?: 'stacked' | 'external-etcd') =>
    planHosts({ hosts, topology }, subnet).hosts.map((host) => host.name);

  test('three control planes as soon as there are three hosts', () => {
    expect(roles(undefined)).toEqual(['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2']);
    expect(roles(1)).toEqual(['cp-1']);
    expect(roles(2)).toEqual(['cp-1', 'w-1']);
    expect(roles(3)).toEqual(['cp-1', 'cp-2', 'cp-3']);
  });

  test('external etcd takes three hosts of its own', () => {
    expect(roles(undefined, 'external-etcd')).toEqual(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1', 'cp-2', 'cp-3', 'w-1']);
    expect(roles(4, 'external-etcd')).toEqual(['etcd-1', 'etcd-2', 'etcd-3', 'cp-1']);
  });

  test('no address stands twice in the largest lab', () => {
    const { hosts, vip } = planHosts({ hosts: 72, topology: 'stacked', kinds: { 'w-1': ['bastion'] } }, subnet);
    const addresses = [...hosts.map((host) => host.address), vip, subnet.gateway];
    expect(new Set(addresses).size).toBe(75);
    expect(new Set(hosts.map((host) => macAddress(host.address))).size).toBe(73);
  });

  test.each([0, -1, 1.5, Number.NaN, 1000])('%s hosts are refused', (hosts) => {
    expect(() => planHosts({ hosts }, subnet)).toThrow(expect.objectContaining({ code: 'KW603' }));
  });

  test('external etcd without a control plane is refused', () => {
    expect(() => planHosts({ hosts: 3, topology: 'external-etcd' }, subnet)).toThrow(
      /KW603|3 hosts with external etcd/,
    );
  });
});

describe('kinds', () => {
  const planned = (kinds: NonNullable<Parameters<typeof planHosts>[0]['kinds']>) =>
    planHosts({ hosts: 2, kinds }, subnet).hosts;

  test('sudo changes the login user, a password its variable', () => {
    expect(planned({ 'w-1': ['sudo'] })[1]).toMatchObject({ user: 'ops', sudoPasswordEnv: null });
    expect(planned({ 'w-1': ['sudo-password'] })[1]).toMatchObject({
      user: 'ops',
      sudoPasswordEnv: 'KUBEWRIGHT_SUDO_PASSWORD',
    });
  });

  test('hosts behind a bastion get one that is no part of the cluster', () => {
    const hosts = planned({ 'cp-1': ['bastion'], 'w-1': ['bastion', 'sudo'] });
    expect(hosts.map(({ name, role, bastion }) => [name, role, bastion])).toEqual([
      ['cp-1', 'control-plane', 'bastion'],
      ['w-1', 'worker', 'bastion'],
      ['bastion', 'bastion', null],
    ]);
  });

  test('everything that is wrong is said at once', () => {
    const kinds = { nobody: ['sudo'], 'w-1': ['sudoo', 'sudo', 'sudo-password'] } as never;
    expect(() => planHosts({ hosts: 2, kinds }, subnet)).toThrow(
      'Kinds of hosts: there is no host nobody; w-1: there is no kind "sudoo"; w-1: sudo asks for a password or it does not.',
    );
  });

  test('--kind takes one or several', () => {
    expect(parseKinds(['w-1=sudo', 'cp-1=bastion+no-mirror', 'w-1=bastion'])).toEqual({
      'w-1': ['sudo', 'bastion'],
      'cp-1': ['bastion', 'no-mirror'],
    });
    for (const word of ['w-1', '=sudo', 'w-1=']) {
      expect(() => parseKinds([word])).toThrow(expect.objectContaining({ code: 'KW603' }));
    }
  });
});

describe('names', () => {
  test.each(['lab', 'a', 'a-b', 'x1', 'abcdefghijkl'])('%s is a name', (name) => {
    expect(checkLabName(name)).toBe(name);
  });
  test.each(['', '1a', '-a', 'a-', 'A', 'a_b', 'a b', '../x', 'abcdefghijklm', 'a\n'])('%j is not', (name) => {
    expect(() => checkLabName(name)).toThrow(expect.objectContaining({ code: 'KW602' }));
  });
});

describe('subnets', () => {
  test('the first free /24 is taken', () => {
    expect(chooseSubnet(['10.88.0.0/24', '10.88.1.7/32', '192.168.0.0/16']).cidr).toBe('10.88.2.0/24');
    expect(() => chooseSubnet(['10.0.0.0/8'])).toThrow(expect.objectContaining({ code: 'KW604' }));
  });

  test('overlap works both ways', () => {
    expect(overlap('10.0.0.0/8', '10.88.1.0/24')).toBe(true);
    expect(overlap('10.88.1.0/24', '10.0.0.0/8')).toBe(true);
    expect(overlap('10.88.1.0/24', '10.88.2.0/24')).toBe(false);
  });

  test('the machine takes the first address of the cluster’s subnet that no host has', () => {
    const taken = ['10.1.2.1', '10.1.2.2', '10.1.2.9'];
    expect(subnetOf('10.1.2.9', 24, taken, [])).toEqual({ cidr: '10.1.2.0/24', prefixLength: 24, gateway: '10.1.2.3' });
    expect(() => subnetOf('10.1.2.9', 24, taken, ['10.1.0.0/16'])).toThrow(/10\.1\.2\.0\/24 is in use/);
  });
});

describe('hosts from a cluster.yaml', () => {
  const plan = (spec: string) => {
    const text = `apiVersion: kubewright.dev/v1alpha1\nkind: Cluster\nmetadata: { name: prod }\nspec:\n${spec}`;
    const { cluster } = parseCluster(text, { path: 'cluster.yaml', directory: '/' });
    return planFromCluster(cluster, {}, []);
  };

  test('names, addresses, login users, ports and bastions are the file’s', () => {
    const {
      hosts,
      vip,
      subnet: network,
    } = plan(`
  endpoint: { vip: 10.77.3.50 }
  ssh: { user: admin, bastion: { address: 10.77.3.5, user: jump } }
  hosts:
    - { name: alpha, address: 10.77.3.1, role: control-plane }
    - { name: beta, address: 10.77.3.2, role: worker, ssh: { port: 2222, sudoPasswordEnv: PW } }
`);
    expect(vip).toBe('10.77.3.50');
    expect(network.gateway).toBe('10.77.3.3');
    expect(hosts).toMatchObject([
      { name: 'alpha', address: '10.77.3.1', user: 'admin', kinds: ['sudo', 'bastion'], bastion: 'bastion' },
      { name: 'beta', user: 'admin', sshPort: 2222, sudoPasswordEnv: 'PW', bastion: 'bastion' },
      { name: 'bastion', address: '10.77.3.5', user: 'jump', role: 'bastion' },
    ]);
  });

  test('a host of the cluster can be the bastion of the others', () => {
    const { hosts } = plan(`
  endpoint: { vip: 10.77.3.50 }
  hosts:
    - { name: alpha, address: 10.77.3.1, role: control-plane }
    - { name: beta, address: 10.77.3.2, role: worker, ssh: { bastion: { address: 10.77.3.1 } } }
`);
    expect(hosts.map(({ name, bastion }) => [name, bastion])).toEqual([
      ['alpha', null],
      ['beta', 'alpha'],
    ]);
  });

  test('a bastion outside of the hosts’ network cannot be rehearsed', () => {
    const spec = `
  endpoint: { vip: 10.77.3.50 }
  ssh: { bastion: { address: jump.example.com } }
  hosts:
    - { name: alpha, address: 10.77.3.1, role: control-plane }
`;
    expect(() => plan(spec)).toThrow(expect.objectContaining({ code: 'KW614' }));
  });

  test('a number of hosts beside a cluster.yaml is refused', async () => {
    await expect(planLab({ clusterFile: 'x.yaml', hosts: 3 })).rejects.toMatchObject({ code: 'KW603' });
  });
});
