import { beforeEach, describe, expect, test } from 'vitest';
import {
  lookAtEndpoint,
  verifyEndpoint,
} from '../../../../../src/components/load-balancer/vrrp/steps/verifyEndpoint.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
const MAC = '02:00:00:00:00:01';
const OTHER = '02:00:00:00:00:02';

let hosts: Map<string, FakeHost>;

/** cp-1 has the virtual IP, and everybody knows. */
beforeEach(() => {
  hosts = fakeHosts(cluster);
  for (const host of hosts.values()) host.fact('api', 'ok').fact('neighbour', MAC);
  hold('cp-1', MAC);
});

function hold(name: string, mac: string): void {
  hostIn(hosts, name).fact('holds', '').fact('mac', mac).fact('neighbour', '');
}

const probe = () => verifyEndpoint.probe(contextAmong(hosts, cluster, 'verifyEndpoint', null));

describe('the endpoint is as it should be', () => {
  test('when one host has the virtual IP, the others know it there, and the API answers everybody', async () => {
    expect(await probe()).toMatchObject({ done: true, found: expect.stringMatching(/^cp-1 holds 10\.88\.0\.100/) });
  });

  test('not when two hosts have it', async () => {
    hold('cp-2', OTHER);
    expect(await probe()).toMatchObject({
      done: false,
      found: 'cp-1 and cp-2 hold 10.88.0.100 at the same time',
    });
  });

  test('not while one does not tell whether it has it: it may be the second one', async () => {
    hostIn(hosts, 'cp-2').cannotTell('holds');
    expect(await probe()).toMatchObject({
      done: false,
      found: 'cp-2 does not tell whether it holds 10.88.0.100',
    });
  });

  test('not when nobody has it', async () => {
    hostIn(hosts, 'cp-1').facts.delete('holds');
    expect(await probe()).toMatchObject({ done: false, found: 'nobody holds 10.88.0.100' });
  });

  test('nobody has it only where everybody was asked: a host that is away may have it', async () => {
    hostIn(hosts, 'cp-1').reachable = false;
    const look = () => lookAtEndpoint(contextAmong(hosts, cluster, 'checkEndpoint', null));
    expect(await look()).toEqual({ faults: ['none of the hosts that tell holds 10.88.0.100: cp-1 cannot be reached'] });
    hostIn(hosts, 'cp-1').reachable = true;
    hostIn(hosts, 'cp-1').facts.delete('holds');
    expect(await look()).toEqual({ faults: ['nobody holds 10.88.0.100'], holders: [] });
    hold('cp-2', MAC);
    expect(await look()).toMatchObject({ holders: ['cp-2'] });
    hold('cp-3', OTHER);
    expect(await look()).toMatchObject({ holders: ['cp-2', 'cp-3'] });
  });

  test('not when a host sends to another network card than the holder’s', async () => {
    hostIn(hosts, 'w-1').fact('neighbour', OTHER);
    expect(await probe()).toMatchObject({
      done: false,
      found: `w-1 takes ${OTHER} for the holder of 10.88.0.100, which is cp-1 (${MAC})`,
    });
  });

  test('not when the API does not answer a single one of them', async () => {
    hostIn(hosts, 'w-1').facts.delete('api');
    const { done, found } = await probe();
    expect(done).toBe(false);
    expect(found).toBe('the API behind 10.88.0.100:8443 is not ready as seen from w-1');
  });

  test('not while one of them cannot be asked', async () => {
    hostIn(hosts, 'cp-3').reachable = false;
    expect(await probe()).toMatchObject({ done: false, found: 'cp-3 cannot be reached' });
  });
});
