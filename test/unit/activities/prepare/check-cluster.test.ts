import { describe, expect, it } from 'vitest';
import { clusterProblems } from '../../../../src/activities/prepare/checks/cluster.js';
import { overrule } from '../../../../src/activities/prepare/checks/overrule.js';
import type { PeerFacts } from '../../../../src/activities/prepare/facts/cluster-facts.js';
import { type VipFacts, vipProblems } from '../../../../src/components/load-balancer/vrrp/vip.js';
import { clusterOf } from '../../cluster-fixture.js';

const CLUSTER = clusterOf({ controlPlanes: 2, workers: 1 });
const FREE: VipFacts = { onLink: true, holderMac: undefined };
const LOOPBACK = { card: 'lo', address: '127.0.0.1', prefixLength: 8, mac: '00:00:00:00:00:00' };

function peers(changes: Record<string, Partial<PeerFacts>> = {}): PeerFacts[] {
  return CLUSTER.hosts.map(({ name, address }, index) => ({
    name,
    hostname: name,
    machineId: `id-${name}`,
    addresses: [LOOPBACK, { card: 'eth0', address, prefixLength: 24, mac: `02:00:00:00:00:0${index}` }],
    ours: false,
    caFingerprint: undefined,
    clock: { offset: 7.0, uncertainty: 0.01 },
    ...changes[name],
  }));
}

const card = (name: string, address: string, mac: string) => [LOOPBACK, { card: name, address, prefixLength: 24, mac }];
const vipOn = (mac: string) => [LOOPBACK, { card: 'eth0', address: '10.88.0.100', prefixLength: 32, mac }];
const codes = (changes?: Record<string, Partial<PeerFacts>>, vip = FREE) =>
  [...clusterProblems(CLUSTER, peers(changes)), ...vipProblems(CLUSTER, peers(changes), vip)].map(({ code }) => code);

describe('hosts compared with each other', () => {
  it('are fine when they are distinct and agree', () => {
    expect(codes()).toEqual([]);
  });

  it.each([
    ['one hostname', { 'cp-2': { hostname: 'cp-1' } }, 'KW330'],
    ['one machine id', { 'w-1': { machineId: 'id-cp-1' } }, 'KW331'],
    ['one hardware address', { 'w-1': { addresses: card('eth0', '10.88.0.21', '02:00:00:00:00:00') } }, 'KW332'],
    ['clocks apart', { 'cp-2': { clock: { offset: 9.5, uncertainty: 0.01 } } }, 'KW333'],
    ['two CAs', { 'cp-1': { caFingerprint: 'sha256:a' }, 'cp-2': { caFingerprint: 'sha256:b' } }, 'KW336'],
  ])('%s', (_, changes, code) => {
    const found = clusterProblems(CLUSTER, peers(changes as Record<string, Partial<PeerFacts>>));
    expect(found.map((problem) => problem.code)).toEqual([code]);
    for (const name of Object.keys(changes)) expect(found[0]?.what).toContain(name);
  });

  it('are not blamed for a slow line: only a difference beyond the round trips counts', () => {
    expect(codes({ 'cp-2': { clock: { offset: 8.9, uncertainty: 1 } } })).toEqual([]);
    expect(codes({ 'cp-2': { clock: { offset: 9.1, uncertainty: 1 } } })).toEqual(['KW333']);
  });

  it.each([
    ['a tunnel without a hardware address', [{ card: 'wg0', address: '10.9.0.1', prefixLength: 24, mac: '' }]],
    ['a PPP line', [{ card: 'ppp0', address: '10.9.0.1', prefixLength: 32, mac: '0.0.0.0' }]],
    [
      'VirtualBox’s first card, which is the same in every machine',
      [{ card: 'enp0s3', address: '10.0.2.15', prefixLength: 24, mac: '08:00:27:8d:c0:4d' }],
    ],
  ])('are no copies for %s on each', (_, more) => {
    const [one, two] = peers();
    expect(
      codes({
        'cp-1': { addresses: [...more, ...(one?.addresses ?? [])] },
        'cp-2': { addresses: [...more, ...(two?.addresses ?? [])] },
      }),
    ).toEqual([]);
  });

  it('are no copies when the tunnel is what they talk through', () => {
    const through = (address: string) => ({ addresses: card('wg0', address, '') });
    expect(codes({ 'cp-1': through('10.88.0.11'), 'cp-2': through('10.88.0.12') })).toEqual([]);
  });

  it.each([
    ['hostname', { hostname: '' }],
    ['machine id', { machineId: '' }],
    ['time', { clock: { offset: Number.NaN, uncertainty: 0.01 } }],
  ])('that do not tell their %s are named: what was not asked did not pass', (what, change) => {
    const found = clusterProblems(CLUSTER, peers({ 'cp-1': change, 'cp-2': change }));
    expect(found.map(({ code, hosts }) => [code, hosts])).toEqual([
      ['KW339', ['cp-1']],
      ['KW339', ['cp-2']],
    ]);
    expect(found[0]?.what).toContain(`cp-1 did not tell its ${what}`);
  });

  it('may share the addresses of bridges that every node has alike', () => {
    const bridge = { card: 'cni0', address: '10.244.0.1', prefixLength: 24, mac: '02:ff' };
    const [one, two] = peers();
    expect(
      codes({
        'cp-1': { addresses: [...(one?.addresses ?? []), bridge] },
        'cp-2': { addresses: [...(two?.addresses ?? []), bridge] },
      }),
    ).toEqual([]);
  });

  it('tell everything at once', () => {
    expect(codes({ 'cp-2': { hostname: 'cp-1', machineId: 'id-cp-1' } }).sort()).toEqual(['KW330', 'KW331']);
  });
});

describe('the clock of the machine with the worker', () => {
  const all = (...offsets: number[]) =>
    Object.fromEntries(
      CLUSTER.hosts.map(({ name }, index) => [name, { clock: { offset: offsets[index] ?? 0, uncertainty: 0.5 } }]),
    );

  it.each([
    ['45 minutes behind', 2700, '45 min behind the hosts'],
    ['45 minutes ahead', -2700, '45 min ahead of the hosts'],
    ['61 seconds behind', 61, '61 s behind the hosts'],
  ])('is named when it is %s, though the hosts agree', (_, offset, says) => {
    const found = clusterProblems(CLUSTER, peers(all(offset, offset, offset)));
    expect(found).toEqual([expect.objectContaining({ code: 'KW333', hosts: [] })]);
    expect(found[0]?.what).toContain(`the clock of the machine that runs the worker is ${says}`);
  });

  it('is not blamed within a minute, on a slow line, or for one host that is wrong itself', () => {
    expect(codes(all(60, 60, 60))).toEqual([]);
    const slow = { clock: { offset: 70, uncertainty: 11 } };
    expect(codes({ 'cp-1': slow, 'cp-2': slow, 'w-1': slow })).toEqual([]);
    const [only, ...others] = clusterProblems(CLUSTER, peers(all(0, 0, 2700)));
    expect(only?.what).toContain('the clocks differ by 2700.0 s (ahead of cp-1: cp-2 0.0 s and w-1 2700.0 s)');
    expect(others).toEqual([]);
  });

  it('is judged beside the hosts’ when one of these is left out by a person', () => {
    const cluster = { ...CLUSTER, preflight: { ignore: [{ code: 'KW333', hosts: ['w-1'], reason: 'a GPS test' }] } };
    const told = (...offsets: number[]) =>
      overrule(cluster, clusterProblems(cluster, peers(all(...offsets)))).map(({ overruled, hosts }) => [
        hosts,
        overruled,
      ]);
    expect(told(0, 0, 2700)).toEqual([[['cp-1', 'w-1'], 'a GPS test']]);
    expect(told(0, 30, 2700)).toEqual([[['cp-1', 'cp-2'], undefined]]);
    expect(told(90, 90, 90)).toEqual([[[], undefined]]);
  });
});

describe('the virtual IP', () => {
  it('may be held by a control plane of this very cluster', () => {
    expect(
      codes(
        { 'cp-2': { ours: true, addresses: vipOn('02:00:00:00:00:01') } },
        { onLink: true, holderMac: '02:00:00:00:00:01' },
      ),
    ).toEqual([]);
    expect(
      codes({ 'cp-1': { ours: true, addresses: vipOn('02:00:00:00:00:00') } }, { onLink: false, holderMac: undefined }),
    ).toEqual([]);
  });

  it.each([
    ['a stranger', {}, { onLink: true, holderMac: '02:99' }],
    ['a host that is not ours yet', { 'cp-1': { addresses: vipOn('02:00:00:00:00:00') } }, FREE],
    ['a worker', { 'w-1': { ours: true, addresses: vipOn('02:00:00:00:00:02') } }, FREE],
    ['nobody, on another network', {}, { onLink: false, holderMac: undefined }],
  ])('is refused with %s', (_, changes, vip) =>
    expect(codes(changes as Record<string, Partial<PeerFacts>>, vip)).toEqual(['KW334']),
  );
});
