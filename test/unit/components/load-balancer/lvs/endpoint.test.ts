import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { StageContext } from '../../../../../src/activities/step.js';
import { proveDirectors } from '../../../../../src/components/load-balancer/lvs/steps/proveDirectors.js';
import { verifyDirectors } from '../../../../../src/components/load-balancer/lvs/steps/verifyDirectors.js';
import { work } from '../../../../../src/components/load-balancer/lvs/work.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { lvsCluster, tableOf } from './lvs-cluster.js';

const cluster = lvsCluster();
let hosts: Map<string, FakeHost>;

/** lb-1 has the virtual IP, both tables lead to all three, and the API answers everybody. */
beforeEach(() => {
  hosts = fakeHosts(cluster);
  for (const name of ['lb-1', 'lb-2']) hostIn(hosts, name).fact('table', tableOf(11, 12, 13));
  hostIn(hosts, 'lb-1').fact('holds', '').fact('mac', '02:6b:0a:58:00:47');
  for (const name of ['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2'])
    hostIn(hosts, name).fact('reach', 'connected').fact('api', 'ok');
  for (const name of ['cp-1', 'cp-2', 'cp-3'])
    hostIn(hosts, name).fact('local', '1: lo    inet 10.88.0.100/32 scope host lo');
  for (const name of ['w-1', 'w-2']) hostIn(hosts, name).fact('neighbour', '02:6b:0a:58:00:47');
});

const everybody = (change: (host: FakeHost) => void) => {
  for (const name of ['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2']) change(hostIn(hosts, name));
};

function proving(answers: boolean): StageContext {
  const context = contextAmong(hosts, cluster, 'proveDirectors', null);
  context.step.with = { answers };
  return context;
}

describe('the virtual IP', () => {
  test('is proven before the cluster begins by a refusal, for that is a director’s own', async () => {
    everybody((host) => host.fact('reach', 'refused'));
    expect(await proveDirectors.probe(proving(false))).toMatchObject({
      done: true,
      found: 'lb-1 has 10.88.0.100, and cp-1, cp-2, cp-3, w-1 and w-2 asked there',
    });
  });

  test('and behind it by a connection alone: the answer of a control plane has found the way', async () => {
    hostIn(hosts, 'w-2').fact('reach', 'refused');
    expect(await proveDirectors.probe(proving(true))).toMatchObject({
      done: false,
      found: 'w-2 is refused at 10.88.0.100:6443: no API server is behind it',
    });
    hostIn(hosts, 'w-2').fact('reach', 'connected');
    expect(await proveDirectors.probe(proving(true))).toMatchObject({ done: true });
  });

  test('is not proven where nothing comes back, and ARP says why', async () => {
    hostIn(hosts, 'cp-2').fact('reach', 'silent').fact('neighbour', '10.88.0.100 dev eth0 FAILED');
    hostIn(hosts, 'w-1').fact('reach', 'silent').fact('neighbour', '10.88.0.100 dev eth0 lladdr 02:1 REACHABLE');
    expect((await proveDirectors.probe(proving(false))).found).toBe(
      'cp-2 gets no answer at 10.88.0.100:6443: nobody answers ARP for it; w-1 gets no answer at 10.88.0.100:6443, though 02:1 answers ARP for it',
    );
  });

  test('is not proven with two holders or none; one that cannot be asked may have it', async () => {
    hostIn(hosts, 'lb-2').fact('holds', '');
    expect((await proveDirectors.probe(proving(false))).found).toBe('lb-1 and lb-2 have 10.88.0.100 at the same time');
    for (const name of ['lb-1', 'lb-2']) hostIn(hosts, name).facts.delete('holds');
    expect((await proveDirectors.probe(proving(false))).found).toBe('no director has 10.88.0.100');
    hostIn(hosts, 'lb-2').reachable = false;
    expect((await proveDirectors.probe(proving(false))).found).toBe(
      'none of the directors that tell has 10.88.0.100: lb-2 cannot be reached',
    );
  });

  test('that stays silent is KW351 with what networks have to let pass', async () => {
    vi.useFakeTimers();
    try {
      hostIn(hosts, 'cp-3').fact('reach', 'silent');
      const context = proving(true);
      const failed = expect(
        proveDirectors.probe(context).then((found) => proveDirectors.apply(context, found)),
      ).rejects.toMatchObject({ code: 'KW351', hint: expect.stringContaining('the virtual IP as its address') });
      await vi.advanceTimersByTimeAsync(60_000);
      await failed;
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the endpoint', () => {
  const context = () => contextAmong(hosts, cluster, 'verifyDirectors', null);
  const found = async () => (await verifyDirectors.probe(context())).found;

  test('is well with one holder, every control plane in both tables, and the API from every node', async () => {
    expect(await verifyDirectors.probe(context())).toEqual({
      done: true,
      found: 'lb-1 has 10.88.0.100 with 3 real servers; the API answers on 10.88.0.100:6443 from every node',
      changes: [],
    });
    expect(await work.look(context())).toEqual({ faults: [], holders: ['lb-1'] });
  });

  test('is not while a control plane is missing from a table, the other director’s too', async () => {
    hostIn(hosts, 'lb-2').fact('table', tableOf(11));
    expect(await found()).toBe('LVS on lb-2 leads to no cp-2 and cp-3');
    hostIn(hosts, 'lb-2').fact('table', '');
    expect(await found()).toBe('LVS on lb-2 knows nothing of 10.88.0.100:6443');
  });

  test('is not where a control plane would not take what it is sent', async () => {
    hostIn(hosts, 'cp-2').facts.delete('local');
    expect(await found()).toBe('cp-2 does not have 10.88.0.100 on lo, so it takes no connection from LVS');
  });

  test('is not where a control plane has answered ARP for the virtual IP', async () => {
    hostIn(hosts, 'w-1').fact('neighbour', '02:6b:0a:58:00:0b');
    expect(await found()).toBe(
      'w-1 takes 02:6b:0a:58:00:0b for the holder of 10.88.0.100, which is lb-1 (02:6b:0a:58:00:47)',
    );
  });

  test('is not while the API is not ready from somewhere', async () => {
    hostIn(hosts, 'w-2').facts.delete('api');
    expect(await work.look(context())).toMatchObject({
      faults: ['the API behind 10.88.0.100:6443 is not ready as seen from w-2'],
    });
  });

  test('is not well for a health check while the other director is away: nobody else tells that', async () => {
    hostIn(hosts, 'lb-2').reachable = false;
    expect(await work.look(context())).toEqual({ faults: ['lb-2 cannot be reached'], holders: ['lb-1'] });
  });

  test('is not known where a director is away that may have it', async () => {
    hostIn(hosts, 'lb-1').reachable = false;
    expect(await found()).toBe('none of the directors that tell has 10.88.0.100: lb-1 cannot be reached');
  });
});

describe('in a real bash', () => {
  test('a director tells its table, and who has the virtual IP', async () => {
    const bash = new BashHosts(cluster);
    try {
      bash.program(
        'ip',
        `[ "$HOST" = lb-2 ] || exit 0
case "$*" in *'address show'*) echo '2: eth0    inet 10.88.0.100/32 scope global eth0' ;; *link*) echo '2: eth0: <UP> link/ether 02:6b:0a:58:00:48 brd ff:ff:ff:ff:ff:ff' ;; esac`,
      );
      bash.program('timeout', 'shift; exec "$@"');
      for (const name of ['lb-1', 'lb-2']) bash.write(name, 'proc/net/ip_vs', tableOf(11, 12));
      const context = bash.context('verifyDirectors', null, new AbortController().signal);
      expect((await verifyDirectors.probe(context)).found).toContain(
        'LVS on lb-1 leads to no cp-3; LVS on lb-2 leads to no cp-3',
      );
      // The fake /dev/tcp takes every connection.
      const proof = bash.context('proveDirectors', null, new AbortController().signal);
      expect(await proveDirectors.probe(proof)).toMatchObject({
        done: true,
        found: expect.stringContaining('lb-2 has'),
      });
    } finally {
      bash.remove();
    }
  });
});
