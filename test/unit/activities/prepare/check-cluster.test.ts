import { describe, expect, it } from 'vitest';
import { clusterProblems } from '../../../../src/activities/prepare/checks/cluster.js';
import type { PeerFacts, VipFacts } from '../../../../src/activities/prepare/facts/cluster-facts.js';
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
    unreachable: [],
    ...changes[name],
  }));
}

const vipOn = (mac: string) => [LOOPBACK, { card: 'eth0', address: '10.88.0.100', prefixLength: 32, mac }];
const codes = (changes?: Record<string, Partial<PeerFacts>>, vip = FREE) =>
  clusterProblems(CLUSTER, peers(changes), vip).map(({ code }) => code);

describe('hosts compared with each other', () => {
  it('are fine when they are distinct, agree and reach each other; the worker machine may go wrong as it likes', () => {
    expect(codes()).toEqual([]);
  });

  it.each([
    ['one hostname', { 'cp-2': { hostname: 'cp-1' } }, 'KW330'],
    ['one machine id', { 'w-1': { machineId: 'id-cp-1' } }, 'KW331'],
    ['one hardware address', { 'w-1': { addresses: peers()[0]?.addresses } }, 'KW332'],
    ['clocks apart', { 'cp-2': { clock: { offset: 9.5, uncertainty: 0.01 } } }, 'KW333'],
    ['no way to each other', { 'w-1': { unreachable: ['cp-1', 'cp-2'] } }, 'KW335'],
    ['two CAs', { 'cp-1': { caFingerprint: 'sha256:a' }, 'cp-2': { caFingerprint: 'sha256:b' } }, 'KW336'],
  ])('%s', (_, changes, code) => {
    const found = clusterProblems(CLUSTER, peers(changes as Record<string, Partial<PeerFacts>>), FREE);
    expect(found.map((problem) => problem.code)).toEqual([code]);
    for (const name of Object.keys(changes)) expect(found[0]?.what).toContain(name);
  });

  it('are not blamed for a slow line: only a difference beyond the round trips counts', () => {
    expect(codes({ 'cp-2': { clock: { offset: 8.9, uncertainty: 1 } } })).toEqual([]);
    expect(codes({ 'cp-2': { clock: { offset: 9.1, uncertainty: 1 } } })).toEqual(['KW333']);
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
    expect(codes({ 'cp-2': { hostname: 'cp-1', machineId: 'id-cp-1', unreachable: ['w-1'] } }).sort()).toEqual([
      'KW330',
      'KW331',
      'KW335',
    ]);
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
