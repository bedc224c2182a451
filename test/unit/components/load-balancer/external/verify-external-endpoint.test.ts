import { beforeEach, describe, expect, test, vi } from 'vitest';
import { verifyExternalEndpoint } from '../../../../../src/components/load-balancer/external/steps/verifyExternalEndpoint.js';
import { loadBalancerOf } from '../../../../../src/components/registry/plan.js';
import { loadBalancerWorkOf } from '../../../../../src/components/registry/work.js';
import { planCheck } from '../../../../../src/plan/check.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const cluster = clusterOf(
  { controlPlanes: 3, workers: 1 },
  { endpoint: { address: 'api.example.org', port: 443 }, loadBalancer: { type: 'external' } },
);
const printOf = (name: string) => `sha256 Fingerprint=${name.toUpperCase()}`;
const ALL = ['cp-1', 'cp-2', 'cp-3'];

let hosts: Map<string, FakeHost>;

/** The balancer leads everybody to all three. */
beforeEach(() => {
  hosts = fakeHosts(cluster);
  for (const [name, host] of hosts) {
    host.fact('api', 'ok').fact('presented', ALL.map(printOf).join('\n'));
    if (name.startsWith('cp')) host.fact('own', printOf(name));
  }
});

const context = () => contextAmong(hosts, cluster, 'verifyExternalEndpoint', null);
const probe = () => verifyExternalEndpoint.probe(context());

describe('the endpoint behind an external load balancer is as it should be', () => {
  test('when the API answers everybody, from all control planes', async () => {
    expect(await probe()).toEqual({
      done: true,
      found: 'the API answers on api.example.org:443 from every node; 3 of 3 control planes were seen behind it',
      changes: [],
      warnings: [],
    });
  });

  test('not when the API does not answer a single node', async () => {
    hostIn(hosts, 'w-1').facts.delete('api');
    expect(await probe()).toMatchObject({
      done: false,
      found: 'the API behind api.example.org:443 is not ready as seen from w-1',
    });
  });

  test('not while one of them cannot be asked', async () => {
    hostIn(hosts, 'cp-3').reachable = false;
    expect(await probe()).toMatchObject({ done: false, found: 'cp-3 cannot be reached' });
  });

  test('not when some connections lead to a server that is no control plane of this cluster', async () => {
    hostIn(hosts, 'w-1').fact('presented', [printOf('cp-1'), printOf('of-the-old-cluster')].join('\n'));
    const found = "api.example.org:443 also leads to a server that is no control plane's, as seen from w-1";
    expect(await probe()).toMatchObject({ done: false, found });
    expect(await loadBalancerWorkOf(cluster).look(context())).toEqual({ faults: [found] });
  });

  test('nobody is called a stranger while a control plane does not tell its certificate', async () => {
    hostIn(hosts, 'cp-3').facts.delete('own');
    expect(await probe()).toMatchObject({ done: true });
  });

  test('a control plane that no connection leads to is waited for, and is a warning then', async () => {
    for (const host of hosts.values()) host.fact('presented', printOf('cp-1'));
    vi.useFakeTimers();
    try {
      const looked = probe();
      await vi.advanceTimersByTimeAsync(10_000);
      for (const host of hosts.values()) host.fact('presented', [printOf('cp-1'), printOf('cp-2')].join('\n'));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await looked).toMatchObject({
        done: true,
        found: expect.stringContaining('2 of 3 control planes were seen behind it'),
        warnings: [expect.stringContaining('no connection to api.example.org:443 led to cp-3')],
      });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('of an external load balancer', () => {
  test('nothing is on a host: no step before the cluster begins, no package, port, file or kernel setting', () => {
    const steps = planInstall(cluster);
    expect(steps.filter(({ phase }) => phase === 'load-balancer')).toEqual([]);
    expect(steps.find(({ id }) => id === 'cp-1/init')?.needs).toEqual([
      'cp-1/packages',
      'cp-1/images',
      'cp-1/binaries',
    ]);
    const balancer = loadBalancerOf(cluster);
    expect(balancer.listeners(cluster, 'control-plane')).toEqual([]);
    expect(balancer.packages(cluster, 'control-plane').install).toEqual([]);
    expect(balancer.sysctls('control-plane')).toEqual({});
    expect(balancer.leaves).toEqual([]);
  });

  test('the end of the install and each health check ask through it', () => {
    expect(planInstall(cluster).find(({ id }) => id === 'cluster/endpoint')?.action).toBe('verifyExternalEndpoint');
    expect(planCheck(cluster).find(({ id }) => id === 'cluster/endpoint')?.title).toBe(
      'Ask the API through the load balancer',
    );
  });
});
