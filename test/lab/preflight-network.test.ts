import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { implementations } from '../../src/activities/registry.js';
import type { Cluster, Role } from '../../src/cluster/types.js';
import type { Hosts } from '../../src/hosts/index.js';
import { planInstall } from '../../src/plan/install.js';
import type { StepOutput } from '../../src/plan/run.js';
import { clusterOfLab, poolOf } from './lab-hosts.js';
import { runStep } from './steps-harness.js';

/** What lies between three real hosts, two of them control planes, before anything is installed on any; a fourth is a stranger. */
let lab: Lab;
let cluster: Cluster;
let hosts: Hosts;
let [first, second, worker, stranger]: LabHost[] = [];

const ROLES: Role[] = ['control-plane', 'control-plane', 'worker'];

beforeAll(async () => {
  lab = await labUp({ name: 'network', hosts: 4, replace: true });
  const described = await clusterOfLab(lab);
  cluster = {
    ...described,
    hosts: described.hosts.slice(0, 3).map((host, index) => ({ ...host, role: ROLES[index] ?? 'worker' })),
  };
  hosts = poolOf(cluster);
  [first, second, worker, stranger] = described.hosts.map(({ name }) => lab.host(name));
  const install = 'apt-get -qq update && apt-get -qq install -y --no-install-recommends nftables >/dev/null';
  await Promise.all([first, second, worker].map((host) => here(host).exec(install)));
});

afterAll(async () => {
  await hosts?.close();
  await lab?.down();
});

afterEach(async () => {
  await here(first).exec('nft flush ruleset');
});

function here(host: LabHost | undefined): LabHost {
  if (host === undefined) throw new Error('the lab has four hosts');
  return host;
}

function preflight(of: Cluster = cluster): Promise<StepOutput> {
  const step = planInstall(of).find(({ id }) => id === 'cluster/preflight');
  if (step === undefined) throw new Error('the plan has a preflight');
  return runStep(step, { cluster: of, hosts, implementations });
}

async function refusal(of?: Cluster): Promise<string> {
  return preflight(of).then(
    () => 'nothing in the way',
    (error: Error) => `${(error as Error & { code: string }).code} ${error.message}`,
  );
}

/** A filter on the first control plane: `policy` for what no rule names. */
async function filter(policy: 'accept' | 'drop', ...rules: string[]): Promise<void> {
  const all = ['ct state established,related accept', 'iif lo accept', ...rules];
  await here(first).exec(`set -e
nft 'add table inet f; add chain inet f i { type filter hook input priority 0; policy ${policy}; }'
${all.map((rule) => `nft 'add rule inet f i ${rule}'`).join('\n')}`);
}

async function said(host: LabHost | undefined, script: string): Promise<string> {
  return (await here(host).exec(script)).stdout.trim();
}

describe('the network between hosts', () => {
  test('is fine where nothing filters, and nothing of the check is left on a host', async () => {
    expect(await preflight()).toMatchObject({
      outcome: 'unchanged',
      summary: expect.stringContaining('reach each other'),
    });
    for (const host of [first, second, worker]) {
      expect(
        await said(host, "pgrep -x perl; ss -Hltnx | grep -E ':(6443|8443|2379|2380|10250) |kubewright' || true"),
      ).toBe('');
      expect(await said(host, 'ls -d /etc/kubewright /etc/kubernetes 2>/dev/null || true')).toBe('');
    }
  });

  test('is refused behind a firewall that lets in SSH and ping, with every port and the rule to add', async () => {
    await filter('drop', 'ip protocol icmp accept', 'tcp dport 22 accept');
    const words = await refusal();
    const [one, two, three] = [first, second, worker].map((host) => here(host).name);
    expect(words).toContain(
      `KW335 ${one} cannot be reached at TCP 6443 (API server) and TCP 8443 (endpoint) from ${two} and ${three}; TCP 2379 (etcd clients), TCP 2380 (etcd peers) and TCP 10250 (kubelet) from ${two}`,
    );
    expect(words).toContain(`KW337 ${one} cannot be reached at UDP 8472 (pod network, vxlan) from ${two} and ${three}`);
    expect(words).toContain(`KW338 ${one} cannot be reached at IP protocol 112 (VRRP) from ${two}`);
    expect(words).not.toMatch(new RegExp(`${two} cannot|${three} cannot`));
    for (const [, rule = ''] of words.matchAll(/`(nft insert rule inet f i [^`]*)`/g)) await here(first).exec(rule);
    expect(await preflight()).toMatchObject({ outcome: 'unchanged' });
  });

  test.each([
    ['udp dport 8472 drop', 'KW337', 'UDP 8472'],
    ['ip protocol 112 drop', 'KW338', 'IP protocol 112'],
    ['tcp dport 2380 reject with tcp reset', 'KW335', 'refused although somebody listened'],
    ['tcp dport 10250 reject with icmp type admin-prohibited', 'KW335', 'TCP 10250'],
  ])('is refused where the one rule is: %s', async (rule, code, says) => {
    await filter('accept', rule);
    const words = await refusal();
    expect(words).toMatch(new RegExp(`^${code} ${here(first).name} cannot be reached at `));
    expect(words).toContain(says);
  });

  test('is refused where something else answers for a host', async () => {
    await here(first).exec(`nft 'add table ip n; add chain ip n p { type nat hook prerouting priority -100; }'
nft 'add rule ip n p tcp dport 6443 redirect to :22'`);
    expect(await refusal()).toMatch(/^KW350 something else than \S+ answered for it at TCP 6443 .*SSH-2\.0-/);
  });

  test('needs neither ping nor SSH between hosts', async () => {
    await filter(
      'accept',
      'ip protocol icmp drop',
      `ip saddr { ${here(second).address}, ${here(worker).address} } tcp dport 22 drop`,
    );
    expect(await preflight()).toMatchObject({ outcome: 'unchanged' });
  });

  test('can be overruled for one host, and the step says so', async () => {
    await filter('accept', 'udp dport 8472 drop');
    const ignore = [{ code: 'KW337', hosts: [here(first).name], reason: 'pods of this host talk by another card' }];
    expect(await preflight({ ...cluster, preflight: { ignore } })).toMatchObject({
      outcome: 'unchanged',
      summary: expect.stringMatching(/overruled: KW337 \(pods of this host talk by another card\): .*UDP 8472/),
    });
  });

  test('is not asked on ports of a host that is in use', async () => {
    await here(first).exec('mkdir -p /etc/kubernetes');
    await filter('accept', 'tcp dport 6443 log drop');
    expect(await refusal()).toMatch(/^KW335 \S+ cannot be reached at TCP 6443 \(API server\) from /);
    await here(first).exec('nft flush ruleset');
    expect(await preflight()).toMatchObject({ outcome: 'unchanged' });
    await here(first).exec('rmdir /etc/kubernetes');
  });
});

describe('VRRP on the wire', () => {
  afterAll(() => here(stranger).exec('systemctl stop keepalived'));

  /** A keepalived as others have it: version 2, by multicast, once a second. */
  async function advertise(id: number): Promise<void> {
    const { stdout: card } = await here(stranger).exec('ip -o -4 route get 224.0.0.18');
    await here(stranger).exec(`cat >/etc/keepalived/keepalived.conf <<'END'
vrrp_instance other {
  interface ${/ dev (\S+)/.exec(card)?.[1]}
  virtual_router_id ${id}
  priority 100
  virtual_ipaddress { ${lab.vip.replace(/\d+$/, '222')}/32 }
}
END
systemctl restart keepalived`);
    // Its holder has won the election: from now on it advertises.
    await here(stranger).exec(
      `until ip -o -4 address | grep -q ${lab.vip.replace(/\d+$/, '222')}; do sleep 0.2; done`,
      { timeoutMs: 30_000 },
    );
  }

  test('with the id of the cluster is refused, with who it is; with another id it is nobody’s business', async () => {
    await here(stranger).exec(
      `apt-get -qq update && apt-get -qq install -y --no-install-recommends keepalived >/dev/null`,
    );
    const [mine, other] = [Number(lab.vip.split('.')[3]), 77];
    await advertise(mine);
    expect(await refusal()).toMatch(
      new RegExp(`^KW353 VRRP id ${mine} is in use on this network: ${here(stranger).address} advertises it for `),
    );
    const ignore = [{ code: 'KW353', hosts: null, reason: 'they speak by unicast' }];
    expect(await preflight({ ...cluster, preflight: { ignore } })).toMatchObject({ outcome: 'unchanged' });
    await advertise(other);
    expect(await preflight()).toMatchObject({ outcome: 'unchanged' });
  });
});

/** Needs the packages of a load balancer on the first host, so it comes last: from here on the hosts are claimed. */
describe('the virtual IP before the cluster begins', () => {
  const run = (verb: string): Promise<StepOutput> => {
    const step = planInstall(cluster).find(({ id }) => id === verb);
    if (step === undefined) throw new Error(`the plan has no step ${verb}`);
    return runStep(step, { cluster, hosts, implementations });
  };

  test('is proven by the answer that other hosts get there', async () => {
    const name = here(first).name;
    for (const verb of ['system', 'packages', 'load-balancer']) await run(`${name}/${verb}`);
    const { summary } = await run('cluster/virtual-ip');
    expect(summary).toBe(`${name} holds ${lab.vip}, and ${here(second).name} and ${here(worker).name} asked there`);
    expect(await run('cluster/virtual-ip')).toEqual({ outcome: 'unchanged', summary });
  });

  test('is refused where the network does not know the address: its holder sees nothing wrong', async () => {
    // What a cloud does between machines, done at their ends: nobody ever hears where the address is.
    for (const host of [second, worker]) {
      await here(host).exec(`nft 'add table arp a; add chain arp a i { type filter hook input priority 0; }'
nft 'add rule arp a i arp saddr ip ${lab.vip} drop'
ip -4 neighbour flush all`);
    }
    expect(await said(first, `ip -4 address show to ${lab.vip}`)).toContain(lab.vip);
    await expect(run('cluster/virtual-ip')).rejects.toMatchObject({
      code: 'KW351',
      message: expect.stringContaining(
        `${here(second).name} gets no answer at ${lab.vip}:${cluster.endpoint.port}: nobody answers ARP for it`,
      ),
    });
  });
});
