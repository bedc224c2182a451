import { describe, expect, it } from 'vitest';
import { described } from '../../../../../src/activities/prepare/checks/problem.js';
import { blockers, checkReach } from '../../../../../src/activities/prepare/checks/reach.js';
import type { Firewall } from '../../../../../src/activities/prepare/reach/firewall.js';
import { flowsOf } from '../../../../../src/activities/prepare/reach/flows.js';
import { type Observation, observe } from '../../../../../src/activities/prepare/reach/observe.js';
import type { OverruledCheck } from '../../../../../src/cluster/types.js';
import { checkBackend } from '../../../../../src/components/network/flannel/work.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { CLUSTER, RUN, round, says } from './rounds.js';

/** Only SSH and ping come in on the control planes, as in kubernetes/kubeadm#1477. */
const FIREWALLED = round(({ probe, collect }) => {
  for (const flow of RUN.flows) {
    if (flow.to === 'w-1') continue;
    if (flow.protocol === 'tcp') says(probe, flow.from, flow.to, flow.port, 'timeout');
  }
  for (const name of ['cp-1', 'cp-2']) collect[name] = ['end'];
});

describe('what does not come through', () => {
  const observations = observe(RUN, FIREWALLED);

  it('is told for each receiving host, with every port and from where', () => {
    const found = checkReach(CLUSTER, observations);
    expect(found.map(({ code, what }) => `${code} ${what}`)).toEqual([
      'KW335 cp-2 cannot be reached at TCP 6443 (API server) and TCP 8443 (endpoint) from cp-1 and w-1; TCP 2379 (etcd clients), TCP 2380 (etcd peers) and TCP 10250 (kubelet) from cp-1: no answer came, as when a firewall drops it',
      'KW335 cp-1 cannot be reached at TCP 6443 (API server) and TCP 8443 (endpoint) from cp-2 and w-1; TCP 2379 (etcd clients), TCP 2380 (etcd peers) and TCP 10250 (kubelet) from cp-2: no answer came, as when a firewall drops it',
      'KW337 cp-2 cannot be reached at UDP 8472 (pod network, vxlan) from cp-1 and w-1: no answer came, as when a firewall drops it',
      'KW337 cp-1 cannot be reached at UDP 8472 (pod network, vxlan) from cp-2 and w-1: no answer came, as when a firewall drops it',
      'KW338 cp-2 cannot be reached at IP protocol 112 (VRRP) from cp-1: no answer came, as when a firewall drops it',
      'KW338 cp-1 cannot be reached at IP protocol 112 (VRRP) from cp-2: no answer came, as when a firewall drops it',
    ]);
    expect(blockers(CLUSTER, observations).sort()).toEqual(['cp-1', 'cp-2']);
  });

  it.each<[Firewall | undefined, string, string]>([
    [
      { kind: 'ufw' },
      '`ufw allow proto tcp from 10.88.0.11 to any port 2379,2380,6443,8443,10250; ufw allow proto tcp from 10.88.0.21 to any port 2379,2380,6443,8443,10250`',
      '`ufw allow from 10.88.0.11`',
    ],
    [
      { kind: 'firewalld' },
      '`firewall-cmd --permanent --add-port=2379/tcp --add-port=2380/tcp --add-port=6443/tcp --add-port=8443/tcp --add-port=10250/tcp && firewall-cmd --reload`',
      '`firewall-cmd --permanent --add-protocol=vrrp && firewall-cmd --reload`',
    ],
    [
      { kind: 'nft', chain: 'inet f i' },
      "`nft insert rule inet f i ip saddr 10.88.0.11 tcp dport '{ 2379, 2380, 6443, 8443, 10250 }' accept; nft insert",
      '`nft insert rule inet f i ip saddr 10.88.0.11 ip protocol vrrp accept`',
    ],
    [
      { kind: 'iptables' },
      '`iptables -I INPUT -s 10.88.0.11 -p tcp -m multiport --dports 2379,2380,6443,8443,10250 -j ACCEPT; iptables',
      '`iptables -I INPUT -s 10.88.0.11 -p 112 -j ACCEPT`',
    ],
    [{ kind: 'none' }, 'Look at what lies between: security groups', 'Look at what lies between'],
    [undefined, 'See to the firewall of cp-2', 'See to the firewall of cp-2'],
  ])('comes with the rule to add: %j', (firewall, tcp, vrrp) => {
    const found = checkReach(CLUSTER, observations, new Map(firewall ? [['cp-2', firewall]] : []));
    const hint = (code: string) => found.find((one) => one.code === code && one.what.startsWith('cp-2 '))?.hint;
    expect(hint('KW335')).toContain(tcp);
    expect(hint('KW338')).toContain(vrrp);
  });

  it('is told of the sender when its own filter does not let it out', () => {
    const own = observe(
      RUN,
      round(({ probe }) => says(probe, 'w-1', 'cp-1', 6443, 'own')),
    );
    expect(checkReach(CLUSTER, own)).toEqual([
      {
        code: 'KW335',
        what: 'w-1 cannot send to TCP 6443 (API server) to cp-1: its own filter does not let it out',
        hint: expect.stringContaining('on w-1'),
        hosts: ['cp-1', 'w-1'],
      },
    ]);
    expect(blockers(CLUSTER, own)).toEqual(['w-1']);
  });

  it('is told by other codes where it is unknown, or somebody else answered', () => {
    const found = observe(
      RUN,
      round(({ listen, probe }) => {
        listen['w-1'] = ['!it has no perl'];
        for (const from of ['cp-1', 'cp-2']) says(probe, from, 'w-1', 10250, 'refused');
        says(probe, 'w-1', 'cp-1', 8443, 'wrong HTTP/1.1 400');
      }),
    );
    expect(checkReach(CLUSTER, found).map(({ code, what }) => `${code} ${what}`)).toEqual([
      'KW350 something else than cp-1 answered for it at TCP 8443 (endpoint) from w-1, and said "HTTP/1.1 400"',
      'KW339 it is not known whether w-1 can be reached at TCP 10250 (kubelet) and UDP 8472 (pod network, vxlan) from cp-1 and cp-2: nobody listened on w-1: it has no perl',
    ]);
  });

  it('is one problem where one host could not ask any other', () => {
    const found = observe(
      RUN,
      round(({ probe, collect }) => {
        probe['cp-2'] = ['!it has no perl'];
        for (const [name, lines] of Object.entries(collect)) collect[name] = lines.filter((line) => !/ 1$/.test(line));
      }),
    );
    expect(
      checkReach(CLUSTER, found).map(({ code, what }) => `${code} ${what.replace(/ at .*: cp-2/, ' …: cp-2')}`),
    ).toEqual([
      'KW339 it is not known whether cp-1 and w-1 can be reached …: cp-2 could not ask: it has no perl',
      'KW339 it is not known whether cp-1 and w-1 can be reached …: cp-2 could not send: it has no perl',
    ]);
  });

  it('is told in full for ten hosts, and the others are counted', () => {
    const many = clusterOf({ controlPlanes: 1, workers: 30 });
    const closed = flowsOf(many).flatMap((flow): Observation[] =>
      flow.to.startsWith('w') && flow.protocol === 'tcp' ? [{ flow, outcome: { is: 'blocked', how: 'timeout' } }] : [],
    );
    const found = checkReach(many, closed);
    expect(found).toHaveLength(10);
    expect(found.at(-1)?.what).toMatch(/^w-10 cannot .*; and likewise w-11, w-12, w-13, w-14, w-15, w-16 and 14 more$/);
  });

  it('is not known for a backend that the check does not know, which is told and stops nothing', () => {
    const backend = (type: string) =>
      checkBackend({ ...CLUSTER, network: { plugin: 'flannel', backend: { Type: type } } });
    expect(backend('ipsec')).toEqual([expect.objectContaining({ code: 'KW339', severity: 'warning' })]);
    expect([...backend('vxlan'), ...backend('host-gw')]).toEqual([]);
  });

  it('can be overruled host by host, and is told with the reason', () => {
    const ignoring = (entry: Partial<OverruledCheck>) => ({
      ...CLUSTER,
      preflight: { ignore: [{ code: 'KW335', hosts: null, reason: 'a VPN', ...entry }] },
    });
    const lines = (entry: Partial<OverruledCheck>) =>
      checkReach(ignoring(entry), observations)
        .filter(({ code }) => code === 'KW335')
        .map((problem) => described(problem).slice(0, 90));
    expect(lines({ hosts: ['w-1'] })).toEqual([
      'KW335: cp-2 cannot be reached at TCP 6443 (API server), TCP 8443 (endpoint), TCP 2379 (etc',
      'KW335: cp-1 cannot be reached at TCP 6443 (API server), TCP 8443 (endpoint), TCP 2379 (etc',
      'overruled: KW335 (a VPN): cp-1 cannot be reached at TCP 6443 (API server) and TCP 8443 (en',
      'overruled: KW335 (a VPN): cp-2 cannot be reached at TCP 6443 (API server) and TCP 8443 (en',
    ]);
    expect(lines({}).every((line) => line.startsWith('overruled: '))).toBe(true);
    expect(
      blockers(
        ignoring({}),
        observations.filter(({ flow }) => flow.protocol === 'tcp'),
      ),
    ).toEqual([]);
  });
});
