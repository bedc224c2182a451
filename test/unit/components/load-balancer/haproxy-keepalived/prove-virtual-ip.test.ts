import { execa } from 'execa';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { gatherFacts } from '../../../../../src/activities/remote-facts.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { holdsVipFunction } from '../../../../../src/components/load-balancer/vrrp/steps/holder.js';
import { proveVirtualIp } from '../../../../../src/components/load-balancer/vrrp/steps/proveVirtualIp.js';
import type { RemoteHost } from '../../../../../src/hosts/types.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 5 });
let hosts: Map<string, FakeHost>;

/** cp-1 has the virtual IP, and everybody gets an answer there. */
beforeEach(() => {
  hosts = fakeHosts(cluster);
  for (const host of hosts.values())
    host.fact('answers', '').fact('neighbour', '10.88.0.100 dev eth0 lladdr 02:1 REACHABLE');
  hostIn(hosts, 'cp-1').fact('holds', '');
});

const context = (of: Cluster = cluster) => contextAmong(hosts, of, 'proveVirtualIp', null);
const probe = (of?: Cluster) => proveVirtualIp.probe(context(of));

/** As in a network that does not know the address: only the holder sees it. */
function withoutArp(...names: string[]): void {
  for (const name of names) {
    hostIn(hosts, name).fact('neighbour', '10.88.0.100 dev eth0 FAILED').facts.delete('answers');
  }
}

describe('the virtual IP is proven', () => {
  test('when one control plane has it, and the others and some workers get an answer', async () => {
    expect(await probe()).toMatchObject({
      done: true,
      found: 'cp-1 holds 10.88.0.100, and cp-2, cp-3, w-1, w-2 and w-3 asked there',
    });
    expect(hostIn(hosts, 'w-4').scripts).toEqual([]);
  });

  test('not in a network without ARP for it, which each host that asked is named for', async () => {
    withoutArp('cp-2', 'cp-3');
    expect(await probe()).toMatchObject({
      done: false,
      found:
        'cp-2 gets no answer at 10.88.0.100:8443: nobody answers ARP for it; cp-3 gets no answer at 10.88.0.100:8443: nobody answers ARP for it',
    });
  });

  test('not where the network answers ARP itself and delivers nothing', async () => {
    hostIn(hosts, 'cp-2').facts.delete('answers');
    expect((await probe()).found).toBe('cp-2 gets no answer at 10.88.0.100:8443, though 02:1 answers ARP for it');
  });

  test('not while nobody has it, or two have it', async () => {
    hostIn(hosts, 'cp-3').fact('holds', '');
    expect(await probe()).toMatchObject({ done: false, found: 'cp-1 and cp-3 hold 10.88.0.100 at the same time' });
    for (const name of ['cp-1', 'cp-3']) hostIn(hosts, name).facts.delete('holds');
    expect(await probe()).toMatchObject({ done: false, found: 'nobody holds 10.88.0.100' });
  });

  test('without those that cannot be asked, who are named; not when nobody can be asked', async () => {
    hostIn(hosts, 'cp-3').reachable = false;
    expect(await probe()).toMatchObject({ done: true, found: expect.stringContaining('(cp-3 could not be asked)') });
    for (const { name } of cluster.hosts) if (name !== 'cp-1') hostIn(hosts, name).reachable = false;
    expect(await probe()).toMatchObject({ done: false, found: expect.stringContaining('no other host could ask') });
  });

  test.each([
    ['prints nothing', 'true', 'no'],
    ['prints an address', "echo '2: eth0 inet 10.88.0.100/32 scope global eth0'", 'yes'],
    ['fails', 'false', 'unknown'],
  ])('in a real bash by an ip that %s: %s is %s', async (_, ip, is) => {
    const script = `ip() { ${ip}; }\n${holdsVipFunction(cluster)}ask holds holds_vip`;
    const run = async (text: string) => ({ ...(await execa('bash', ['--norc', '-c', text])), durationMs: 1 });
    const local = { name: 'cp-1', run } as unknown as RemoteHost;
    const facts = await gatherFacts(local, script, new AbortController().signal);
    expect(facts.answer('holds', '').is).toBe(is);
  });

  test('not by one whose second holder does not tell: it is named', async () => {
    hostIn(hosts, 'cp-3').cannotTell('holds');
    expect(await probe()).toMatchObject({ found: expect.stringContaining('(cp-3 could not be asked)') });
    hostIn(hosts, 'cp-1').cannotTell('holds');
    expect(await probe()).toMatchObject({
      done: false,
      found: 'nobody holds 10.88.0.100 (cp-1 and cp-3 could not be asked)',
    });
  });

  test('on a single host by holding it, for nobody else could ask', async () => {
    const alone = clusterOf({ controlPlanes: 1, workers: 0 });
    expect(await probe(alone)).toMatchObject({ done: true, found: 'cp-1 holds 10.88.0.100; no other host could ask' });
  });

  test('also where a person has overruled a host that gets no answer, which is told', async () => {
    withoutArp('w-1');
    const ignore = [{ code: 'KW351', hosts: ['w-1'], reason: 'routed later' }];
    expect(await probe({ ...cluster, preflight: { ignore } })).toMatchObject({
      done: true,
      warnings: ['overruled: KW351 (routed later): w-1 gets no answer at 10.88.0.100:8443: nobody answers ARP for it'],
    });
  });
});

describe('waiting for the virtual IP', () => {
  test('ends when other hosts get an answer', async () => {
    withoutArp('cp-2');
    const found = await probe();
    const applied = proveVirtualIp.apply(context(), found);
    hostIn(hosts, 'cp-2').fact('answers', '');
    await applied;
  });

  test('ends with what the network has to be told', async () => {
    withoutArp('cp-2');
    const found = await probe();
    const begin = Date.now();
    const clock = vi
      .spyOn(Date, 'now')
      .mockReturnValueOnce(begin)
      .mockReturnValue(begin + 60_000);
    await expect(proveVirtualIp.apply(context(), found)).rejects.toMatchObject({
      code: 'KW351',
      message: 'cp-2 gets no answer at 10.88.0.100:8443: nobody answers ARP for it',
      hint: expect.stringContaining('allowed address pairs'),
    });
    clock.mockRestore();
  });
});
