import { beforeEach, describe, expect, test } from 'vitest';
import { type Answer, no, unknown, yes } from '../../../../src/activities/answers.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { createEtcdAuthority } from '../../../../src/components/etcd/external/steps/createEtcdAuthority.js';
import { deliverEtcdCertificates } from '../../../../src/components/etcd/external/steps/deliverEtcdCertificates.js';
import { deliverEtcdClient } from '../../../../src/components/etcd/external/steps/deliverEtcdClient.js';
import { planMember } from '../../../../src/components/etcd/external/steps/member-plan.js';
import type { Action } from '../../../../src/plan/types.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../activities/fake-hosts.js';
import { clusterOf } from '../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1, etcd: 3 });
const third = cluster.hosts.find(({ name }) => name === 'etcd-3') as ClusterHost;
const NOTHING = { done: false, found: '', changes: [] };

let hosts: Map<string, FakeHost>;
const contextOf = (action: Action, host: string) => contextAmong(hosts, cluster, action, host);

beforeEach(() => {
  hosts = fakeHosts(cluster);
});

describe("etcd's CA", () => {
  test('is never made a second time: a first etcd host that was replaced asks for the backed up key', async () => {
    hostIn(hosts, 'etcd-2').fact('ca', 'the CA');
    await expect(createEtcdAuthority.apply(contextOf('createEtcdAuthority', 'etcd-1'), NOTHING)).rejects.toMatchObject({
      code: 'KW471',
      host: 'etcd-1',
      hint: expect.stringContaining('/etc/kubernetes/pki/etcd/ca.key'),
    });
    expect(hostIn(hosts, 'etcd-1').log).not.toContain('kubeadm');
  });

  test('is not made while it cannot be told whether another host knows one', async () => {
    hostIn(hosts, 'etcd-2').cannotTell('ca');
    await expect(createEtcdAuthority.apply(contextOf('createEtcdAuthority', 'etcd-1'), NOTHING)).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
    });
    expect(hostIn(hosts, 'etcd-1').log).not.toContain('kubeadm');
  });

  test('is made where nobody knows one', async () => {
    await createEtcdAuthority.apply(contextOf('createEtcdAuthority', 'etcd-1'), NOTHING);
    expect(hostIn(hosts, 'etcd-1').log).toContain('kubeadm init phase certs etcd-ca');
  });
});

describe('certificates go from the first etcd host', () => {
  /** What was put in place on a host, by its path. */
  const placedOn = (name: string): string[] =>
    (hostIn(hosts, name).scripts.at(-1)?.input ?? '')
      .split('\n')
      .flatMap((line) => line.split(' ')[2] ?? [])
      .sort();

  test("to a member without the CA's key", async () => {
    const names = [
      'ca.crt',
      ...['server', 'peer', 'healthcheck-client'].flatMap((name) => [`${name}.crt`, `${name}.key`]),
    ];
    const made = names.map((name) => `${name} ${Buffer.from(name).toString('base64')}\n`).join('');
    const authority = hostIn(hosts, 'etcd-1').answer('kubeadm init phase certs', made);
    await deliverEtcdCertificates.apply(contextOf('deliverEtcdCertificates', 'etcd-2'), NOTHING);
    expect(placedOn('etcd-2')).toEqual(names.map((name) => `/etc/kubernetes/pki/etcd/${name}`).sort());
    expect(authority.scripts).toHaveLength(1);
  });

  test('to a control plane: the CA and one client certificate, nothing else', async () => {
    const authority = hostIn(hosts, 'etcd-1');
    for (const path of ['etcd/ca.crt', 'etcd/ca.key', 'apiserver-etcd-client.crt', 'apiserver-etcd-client.key']) {
      authority.files.set(`/etc/kubernetes/pki/${path}`, path);
    }
    await deliverEtcdClient.apply(contextOf('deliverEtcdClient', 'cp-1'), NOTHING);
    expect(placedOn('cp-1')).toEqual([
      '/etc/kubernetes/pki/apiserver-etcd-client.crt',
      '/etc/kubernetes/pki/apiserver-etcd-client.key',
      '/etc/kubernetes/pki/etcd/ca.crt',
    ]);
    authority.files.delete('/etc/kubernetes/pki/apiserver-etcd-client.key');
    await expect(deliverEtcdClient.apply(contextOf('deliverEtcdClient', 'cp-1'), NOTHING)).rejects.toMatchObject({
      code: 'KW473',
      host: 'etcd-1',
    });
  });
});

describe('how a member comes up', () => {
  const line = (host: number, { clients = true, name = `etcd-${host}` } = {}) =>
    `a${host}, started, ${name}, https://10.88.0.3${host}:2380, ${clients ? `https://10.88.0.3${host}:2379` : ''}, false`;
  const plan = (hasData: boolean, begunFor: Answer<string> = no('nobody')) => {
    const data = hasData ? yes('') : no('etcd-3 has no data');
    return planMember(contextOf('startEtcdMember', 'etcd-3'), third, { data, begunFor }, 0);
  };
  const NEW = 'a9, unstarted, , https://10.88.0.33:2380, , true';
  /** etcd-1 knows these members; what is removed is gone, and what is added is a learner. */
  const living = (lines: string[]) => {
    const via = hostIn(hosts, 'etcd-1').fact('members', lines.join('\n'));
    const change = (left: string[]) => via.fact('members', left.join('\n'));
    via.answer('member remove', () => {
      const id = /member remove (\w+)/.exec(via.scripts.at(-1)?.script ?? '')?.[1];
      change((via.facts.get('members') ?? '').split('\n').filter((each) => !each.startsWith(`${id},`)));
      return 'removed';
    });
    via.answer('member add', () => {
      change([...(via.facts.get('members') ?? '').split('\n'), NEW]);
      return '';
    });
    return via;
  };

  test('on new hosts they begin together', async () => {
    const { state, members, via } = await plan(false);
    expect({ state, via }).toEqual({ state: 'new', via: undefined });
    expect(members.map(({ name }) => name)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
  });

  test('the last one of a new cluster joins in: it is a member already and has nothing to give up', async () => {
    const via = living([line(1), line(2), line(3, { clients: false })]);
    expect(await plan(false)).toMatchObject({ state: 'existing', staleData: undefined });
    expect(via.log).not.toContain('member remove');
  });

  test('a host that was replaced takes the place of its former self', async () => {
    const via = living([line(1), line(2), line(3)]);
    expect(await plan(false)).toMatchObject({ state: 'existing' });
    expect(via.log).toContain('member remove a3');
  });

  test('a dead learner of a host that left cluster.yaml is taken out first; those of other hosts may be on their way', async () => {
    const never = (id: string, address: string) => `${id}, unstarted, , https://${address}:2380, , true`;
    const via = living([line(1), never('b2', '10.88.0.32'), never('d9', '10.88.0.39')]);
    await plan(false);
    expect(via.log).toContain('member remove d9');
    expect(via.log).not.toContain('member remove b2');
  });

  test('a host that has its data starts with it', async () => {
    const via = living([line(1), line(2), line(3)]);
    expect(await plan(true)).toMatchObject({ state: 'existing', staleData: undefined });
    expect(via.log).not.toMatch(/member (remove|add)/);
  });

  test('data of a member that was put out is moved aside', async () => {
    living([line(1), line(2)]);
    expect((await plan(true)).staleData?.is).toBe('no');
  });

  test('data that was there before the member was announced is moved aside, also by the attempt after', async () => {
    living([line(1), line(2), NEW]);
    expect((await plan(true)).staleData?.evidence).toContain('nobody');
    expect((await plan(true, yes('a3'))).staleData?.is).toBe('no');
  });

  test('data that the announced member has begun stays, though it has not come yet', async () => {
    living([line(1), line(2), NEW]);
    expect(await plan(true, yes('a9'))).toMatchObject({ announced: 'a9', staleData: undefined });
  });

  test('nothing is moved while the host does not tell whose data it has', async () => {
    living([line(1), line(2), NEW]);
    await expect(plan(true, unknown('the disk does not answer'))).rejects.toMatchObject({ code: 'KW433' });
  });

  test('a blank host never begins anew where etcd was in use: it would outvote the data', async () => {
    hostIn(hosts, 'cp-1').fact('initialised', '');
    await expect(plan(false)).rejects.toMatchObject({ code: 'KW474', transient: false });
  });

  test('nor where that cannot be told', async () => {
    hostIn(hosts, 'cp-1').reachable = false;
    await expect(plan(false)).rejects.toMatchObject({ code: 'KW466', transient: true });
  });
});
