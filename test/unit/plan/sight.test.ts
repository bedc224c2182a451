import { describe, expect, it } from 'vitest';
import { alikeNodes, fitting, SIGHT_LIMIT, together } from '../../../src/plan/sight.js';

const nodes = (count: number, { ready = true, kubelet = 'v1.34.3', prefix = 'w' } = {}) =>
  Array.from({ length: count }, (_, index) => ({ name: `${prefix}-${index + 1}`, ready, kubelet }));

describe('nodes that are alike', () => {
  it('are told together: those that are not Ready first, then the fewest', () => {
    const all = [
      ...nodes(3),
      ...nodes(1, { kubelet: 'v1.34.2', prefix: 'old' }),
      ...nodes(1, { ready: false, prefix: 'off' }),
    ];
    expect(alikeNodes(all)).toEqual([
      { ready: false, kubelet: 'v1.34.3', names: ['off-1'] },
      { ready: true, kubelet: 'v1.34.2', names: ['old-1'] },
      { ready: true, kubelet: 'v1.34.3', names: ['w-1', 'w-2', 'w-3'] },
    ]);
  });
});

describe('a sight', () => {
  const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

  it('of 300 nodes is whole', () => {
    const sight = { etcdLeader: 'cp-1', nodes: alikeNodes(nodes(300)) };
    expect(fitting(sight)).toEqual(sight);
  });

  it.each([
    ['that are alike', alikeNodes(nodes(5_000))],
    [
      'of which none is like another',
      alikeNodes(nodes(5_000).map((node, index) => ({ ...node, kubelet: `v${index}` }))),
    ],
  ])('of 5,000 nodes %s has no more than its limit, and counts the others', (_, all) => {
    const sight = fitting({ etcdLeader: 'cp-1', nodes: all });
    expect(bytes(sight)).toBeLessThanOrEqual(SIGHT_LIMIT);
    const named = sight.nodes?.flatMap(({ names }) => names) ?? [];
    expect(named.length).toBeGreaterThan(100);
    expect(named.length + (sight.moreNodes ?? 0)).toBe(5_000);
    expect(sight.etcdLeader).toBe('cp-1');
    expect(fitting(sight)).toEqual(sight);
  });

  it('that is leaves out what most nodes are, not what one of them is', () => {
    const { nodes: told } = fitting({
      nodes: alikeNodes([...nodes(5_000), ...nodes(1, { ready: false, prefix: 'off' })]),
    });
    expect(told?.[0]).toMatchObject({ ready: false, names: ['off-1'] });
  });

  it('is the later one of two, with what only the first one tells', () => {
    const first = { virtualIpHolders: ['cp-1'], etcdLeader: 'cp-1', nodes: alikeNodes(nodes(2)), moreNodes: 7 };
    expect(together(first, { etcdLeader: 'cp-2' })).toEqual({ ...first, etcdLeader: 'cp-2' });
    const { moreNodes: _, ...rest } = first;
    const nobody = { virtualIpHolders: [], nodes: alikeNodes(nodes(1)) };
    expect(together(first, nobody)).toEqual({ ...rest, ...nobody });
    expect(together(first, undefined)).toBe(first);
    expect(together(undefined, undefined)).toBeUndefined();
  });
});

describe('trends of a sight', () => {
  const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
  const disk = (host: string, free: number) => ({
    host,
    mount: '/var/lib',
    of: 'space' as const,
    total: 100_000,
    samples: Array.from({ length: 15 }, (_, index): [number, number] => [29_000_000 + 25 * index, free]),
  });
  const disks = (count: number) => Array.from({ length: count }, (_, index) => disk(`w-${index}`, 39_999 - index));

  it('of the fullest of 300 disks are kept, the others counted, beside as many nodes as there is room for', () => {
    const all = { etcdLeader: 'cp-1', nodes: alikeNodes(nodes(300)), disks: disks(300) };
    const sight = fitting(all);
    expect(bytes(sight)).toBeLessThanOrEqual(SIGHT_LIMIT);
    expect(sight.nodes).toEqual(all.nodes);
    const kept = sight.disks ?? [];
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.map(({ host }) => host)).toEqual(kept.map((_, index) => `w-${299 - index}`));
    expect(kept.length + (sight.moreDisks ?? 0)).toBe(300);
    expect(fitting(sight)).toEqual(sight);
  });

  it('have some room even where nodes would take all of it', () => {
    const sight = fitting({ nodes: alikeNodes(nodes(5_000)), disks: disks(9) });
    expect(bytes(sight)).toBeLessThanOrEqual(SIGHT_LIMIT);
    expect(sight.disks?.length).toBeGreaterThan(3);
    expect((sight.disks?.length ?? 0) + (sight.moreDisks ?? 0)).toBe(9);
    expect(sight.nodes?.[0]?.names.length).toBeGreaterThan(300);
  });

  it('are put together host by host, and of one that was looked at twice the later counts', () => {
    const first = { disks: [disk('w-1', 9), disk('w-2', 9)], snapshots: [{ host: 'cp-1' }] };
    expect(together(first, { disks: [disk('w-2', 7)], snapshots: [{ host: 'cp-2' }] })).toEqual({
      disks: [disk('w-1', 9), disk('w-2', 7)],
      snapshots: [{ host: 'cp-1' }, { host: 'cp-2' }],
    });
    expect(together(first, { etcdLeader: 'cp-1' })).toEqual({ ...first, etcdLeader: 'cp-1' });
  });
});
