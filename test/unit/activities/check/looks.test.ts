import { beforeEach, describe, expect, test } from 'vitest';
import { checkApiServer } from '../../../../src/activities/check/checkApiServer.js';
import { checkDns } from '../../../../src/activities/check/checkDns.js';
import { checkEndpoint } from '../../../../src/activities/check/checkEndpoint.js';
import { checkEtcd } from '../../../../src/activities/check/checkEtcd.js';
import { checkNodes } from '../../../../src/activities/check/checkNodes.js';
import { planCheck } from '../../../../src/plan/check.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
const version = `v${cluster.kubernetes.version}`;

let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'cp-1').fact('initialised', '').fact('ready', 'ok').fact('secrets', '');
  nodes('True');
});

function nodes(ready: string): void {
  const lines = cluster.hosts.map(({ name, address }, index) =>
    [name, index === 0 ? 'True' : ready, version, address, 'Ready=True '].join('\t'),
  );
  via.fact('nodes', lines.join('\n'));
}

describe('a look', () => {
  test('never has anything to apply: what is wrong is what it was to find', async () => {
    nodes('False');
    const found = await checkNodes.probe(contextAmong(hosts, cluster, 'checkNodes', null));
    expect(found).toMatchObject({
      done: true,
      findings: [{ code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: expect.any(String) }],
    });
  });

  test('at the nodes tells which there are, those that are not as most are first', async () => {
    nodes('False');
    const look = () => checkNodes.probe(contextAmong(hosts, cluster, 'checkNodes', null));
    const wanted = [
      { ready: false, kubelet: version, names: ['w-1'] },
      { ready: true, kubelet: version, names: ['cp-1'] },
    ];
    expect((await look()).seen).toEqual({ nodes: wanted });
    via.fact('ready', 'not ok');
    expect(await look()).not.toHaveProperty('seen');
  });

  test('at an API server asks that one by its own address', async () => {
    const look = () => checkApiServer.probe(contextAmong(hosts, cluster, 'checkApiServer', 'cp-1'));
    expect(await look()).toMatchObject({ done: true, findings: [] });
    via.fact('ready', 'not ok');
    expect(await look()).toMatchObject({ findings: [{ code: 'KW601', host: 'cp-1' }] });
    expect(via.log).toContain(`--server=https://${cluster.hosts[0]?.address}:6443`);
  });

  test('at DNS does not blame DNS where no control plane is ready', async () => {
    via.fact('ready', 'not ok');
    const { findings } = await checkDns.probe(contextAmong(hosts, cluster, 'checkDns', null));
    expect(findings).toMatchObject([{ code: 'KW602', evidence: expect.stringContaining('no control plane is ready') }]);
  });
});

describe('the plan of a check', () => {
  test('asks nobody, and no look waits for another', () => {
    for (const step of planCheck(clusterOf({ controlPlanes: 3, workers: 2, etcd: 3 }))) {
      expect(step, step.id).toMatchObject({ needs: [], onFailure: 'report', skippable: false });
    }
  });

  test('looks at each host once, whatever its role', () => {
    const whole = clusterOf({ controlPlanes: 3, workers: 2, etcd: 3, directors: 2 });
    const looks = planCheck(whole).filter(({ action }) => action === 'checkHostHealth');
    expect(looks.map(({ host }) => host)).toEqual(whole.hosts.map(({ name }) => name));
    expect(looks[0]).toMatchObject({ id: 'cp-1/host', title: 'Look at cp-1' });
  });
});

describe('a look at the endpoint', () => {
  const wide = clusterOf({ controlPlanes: 2, workers: 1 });
  const vip = '10.88.0.100';
  let all: Map<string, FakeHost>;
  const look = async () => {
    const { findings } = await checkEndpoint.probe(contextAmong(all, wide, 'checkEndpoint', null));
    return findings?.map(({ code }) => code);
  };
  beforeEach(() => {
    all = fakeHosts(wide);
    for (const host of all.values()) host.fact('api', 'ok').fact('mac', 'aa').fact('neighbour', '');
    hostIn(all, 'cp-1').fact('holds', vip);
  });

  test('finds nothing while the API answers from everywhere', async () => {
    expect(await look()).toEqual([]);
  });

  test('tells who has the virtual IP, whatever is wrong', async () => {
    hostIn(all, 'cp-1').fact('api', '');
    const probe = () => checkEndpoint.probe(contextAmong(all, wide, 'checkEndpoint', null));
    expect((await probe()).seen).toEqual({ virtualIpHolders: ['cp-1'] });
    for (const host of all.values()) host.fact('api', '');
    expect(await probe()).toMatchObject({
      findings: [{ code: 'KW680' }, {}, {}, {}],
      seen: { virtualIpHolders: ['cp-1'] },
    });
    hostIn(all, 'cp-1').reachable = false;
    expect(await probe()).not.toHaveProperty('seen');
  });

  test('tells an API that answers some from one that answers nobody', async () => {
    hostIn(all, 'cp-1').fact('api', '');
    expect(await look()).toEqual(['KW482']);
    for (const host of all.values()) host.fact('api', '');
    expect(await look()).toEqual(['KW680', 'KW482', 'KW482', 'KW482']);
  });

  test('claims nothing of the API where no host could be asked', async () => {
    for (const host of all.values()) host.reachable = false;
    expect(await look()).toEqual(['KW681']);
  });
});

describe('a look at etcd', () => {
  const wide = clusterOf({ controlPlanes: 3, workers: 0 });
  const members = wide.hosts.map(
    ({ name, address }, index) =>
      `a${index}, started, ${name}, https://${address}:2380, https://${address}:2379, false`,
  );
  let all: Map<string, FakeHost>;
  const look = async () => {
    const { findings } = await checkEtcd.probe(contextAmong(all, wide, 'checkEtcd', null));
    return findings?.map(({ code }) => code);
  };
  const isGone = (...names: string[]) => {
    for (const name of names) {
      hostIn(all, name).facts.clear();
      hostIn(all, name).fact('closed', '');
    }
  };
  const isAway = (...names: string[]) => {
    for (const name of names) hostIn(all, name).reachable = false;
  };
  beforeEach(() => {
    all = fakeHosts(wide);
    const status = members.map(() => '{"cluster_id":1}').join();
    for (const host of all.values()) host.fact('members', members.join('\n')).fact('health', '').fact('status', status);
  });

  test('finds nothing while all members answer', async () => {
    expect(await look()).toEqual([]);
  });

  test('tells whose member leads, where all of them say the same', async () => {
    const leads = async (...ids: string[]) => {
      // As numbers of 64 bits are printed: decimal, and a leader of 0 for none.
      const text = ids.map((id) => `{"cluster_id":1,"leader":${id}}`).join();
      for (const host of all.values()) host.fact('status', text);
      return (await checkEtcd.probe(contextAmong(all, wide, 'checkEtcd', null))).seen;
    };
    expect(await leads('161', '161', '161')).toEqual({ etcdLeader: 'cp-2' });
    expect(await leads('161', '162', '161')).toBeUndefined();
    expect(await leads('0', '0', '0')).toBeUndefined();
    // A member of another name, on a host that was applied.
    for (const host of all.values()) host.fact('members', members.join('\n').replace(', cp-3,', ', other,'));
    expect(await leads('162', '162', '162')).toEqual({ etcdLeader: 'cp-3' });
  });

  test('tells a member that is lost from a quorum that is lost', async () => {
    hostIn(all, 'cp-1').facts.delete('health');
    expect(await look()).toEqual(['KW476']);
    isGone('cp-1', 'cp-2', 'cp-3');
    expect(await look()).toEqual(['KW682']);
  });

  test('claims no lost quorum where members that could not be asked may have one', async () => {
    isGone('cp-1');
    isAway('cp-2', 'cp-3');
    expect(new Set(await look())).toEqual(new Set(['KW476']));
    isAway('cp-1');
    expect(await look()).toEqual(['KW683']);
  });

  test('does not count members as lost whose question failed', async () => {
    isGone('cp-1');
    for (const name of ['cp-2', 'cp-3']) hostIn(all, name).cannotTell('members');
    expect(new Set(await look())).toEqual(new Set(['KW476']));
  });

  test('knows that there is none where one that could not be asked would be alone', async () => {
    isGone('cp-1', 'cp-2');
    isAway('cp-3');
    expect(await look()).toEqual(['KW682']);
  });
});

describe('a single etcd host', () => {
  const DEADLINE = 'Error: context deadline exceeded';
  const EXPIRED = `{"level":"warn","error":"rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = \\"error reading server preface: remote error: tls: expired certificate\\""}`;
  /** What stands on standard error of a question that failed; lines as the host's script prints them. */
  const findingsAfter = async (why: string) => {
    const lines = ['fact members 1 ', `why members 0 ${why.replaceAll('\n', '\x1f')}`, 'facts end'];
    via.answer('member list', lines.join('\n'));
    return (await checkEtcd.probe(contextAmong(hosts, cluster, 'checkEtcd', null))).findings;
  };

  test.each([
    ['etcdctl is missing', 'bash: etcdctl: command not found', 'etcdctl: command not found'],
    ['its client certificate has ended', `${EXPIRED}\n${DEADLINE}`, 'tls: expired certificate'],
    [
      'the certificate of etcd is not trusted',
      `desc = "transport: authentication handshake failed: x509: certificate signed by unknown authority"\n${DEADLINE}`,
      'x509: certificate signed by unknown authority',
    ],
  ])('has not lost its quorum because %s', async (_, why, reason) => {
    const evidence = expect.stringContaining(`cp-1 does not tell its members (`);
    const findings = await findingsAfter(why);
    expect(findings).toMatchObject([{ code: 'KW683', host: null, evidence }]);
    expect(findings?.[0]?.evidence).toContain(reason);
  });

  test('has not lost its quorum because what etcdctl prints cannot be read', async () => {
    via.fact('members', 'something else');
    const { findings } = await checkEtcd.probe(contextAmong(hosts, cluster, 'checkEtcd', null));
    expect(findings).toMatchObject([{ code: 'KW683', evidence: expect.stringContaining('printed something else') }]);
  });

  test.each([
    ['it does not answer in time', DEADLINE],
    ['it knows no leader', 'Error: etcdserver: no leader'],
    ['it has just closed its port', 'no etcd member takes clients there'],
  ])('has lost it where %s', async (_, why) => {
    expect(await findingsAfter(why)).toMatchObject([{ code: 'KW682', evidence: expect.stringContaining(why) }]);
  });

  test('is asked nothing where nobody listens, and has lost it', async () => {
    via.fact('closed', '');
    const { findings } = await checkEtcd.probe(contextAmong(hosts, cluster, 'checkEtcd', null));
    expect(findings).toMatchObject([
      { code: 'KW682', evidence: 'etcd has no quorum: cp-1 does not answer: no etcd member takes clients there' },
    ]);
  });
});

test('nodes that nobody could ask for are none that are not Ready', async () => {
  via.fact('ready', 'not ok');
  const { findings } = await checkNodes.probe(contextAmong(hosts, cluster, 'checkNodes', null));
  expect(findings).toMatchObject([{ code: 'KW684', host: null }]);
});
