import { beforeEach, describe, expect, test } from 'vitest';
import { checkApiServer } from '../../../../src/activities/check/checkApiServer.js';
import { checkDns } from '../../../../src/activities/check/checkDns.js';
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
