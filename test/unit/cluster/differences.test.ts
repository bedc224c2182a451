import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import { differences } from '../../../src/cluster/differences.js';
import { canonicalJson, hashOf } from '../../../src/cluster/hash.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { BASE, edited, parse } from './helpers.js';

describe('differences', () => {
  const before = parse(BASE);
  const from = (text: string): string[] => differences(before, parse(text));

  it('is empty for two ways to write the same', () => {
    expect(
      from(
        `${BASE}  kubernetes: { version: v${DEFAULTS.kubernetes.version} }\n  etcd: { topology: stacked }\n# comment\n`,
      ),
    ).toEqual([]);
  });

  it('names each path with the old and the new value', () => {
    const text = edited(
      ['vip: 10.88.0.100', 'vip: 10.88.0.101\n    interface: eth1'],
      ['role: worker', 'role: worker\n      labels: { a: b }'],
    );
    expect(
      from(
        `${text}  kubernetes: { version: 1.34.2, apiServer: { extraArgs: { v: 2 } } }\n  ssh: { keyFile: /k }\n`,
      ).sort(),
    ).toEqual([
      'endpoint.interface: an empty value → "eth1"',
      'endpoint.vip: "10.88.0.100" → "10.88.0.101"',
      'endpoint.virtualRouterId: the number 100 → the number 101',
      'hosts[cp-1].ssh.keyFiles: [] → ["/k"]',
      'hosts[cp-2].ssh.keyFiles: [] → ["/k"]',
      'hosts[cp-3].ssh.keyFiles: [] → ["/k"]',
      'hosts[w-1].labels.a: nothing → "b"',
      'hosts[w-1].ssh.keyFiles: [] → ["/k"]',
      'kubernetes.apiServer.extraArgs: [] → [{"name":"v","value":"2"}]',
      `kubernetes.version: "${DEFAULTS.kubernetes.version}" → "1.34.2"`,
    ]);
  });

  it('compares hosts by name, and tells their order', () => {
    const added = `${BASE}    - { name: w-2, address: 10.88.0.22, role: worker }\n`;
    expect(from(added)).toEqual(['hosts[w-2]: added']);
    expect(differences(parse(added), before)).toEqual(['hosts[w-2]: removed']);
    const reordered: Cluster = { ...before, hosts: [...before.hosts].reverse() };
    expect(differences(before, reordered)).toEqual(['hosts: order cp-1, cp-2, cp-3, w-1 → w-1, cp-3, cp-2, cp-1']);
  });

  it('compares patches by name', () => {
    const patched = (content: string): Cluster => ({
      ...before,
      kubernetes: { ...before.kubernetes, patches: [{ name: 'etcd.yaml', content }] },
    });
    expect(differences(before, patched('a'))).toEqual(['kubernetes.patches[etcd.yaml]: added']);
    const long = 'x'.repeat(100);
    expect(differences(patched(`${long}1`), patched(`${long}2`))).toEqual([
      'kubernetes.patches[etcd.yaml].content: changed',
    ]);
  });
});

describe('hashOf', () => {
  it('is the SHA-256 of canonical JSON', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'ä"' }], a: true, u: undefined })).toBe(
      '{"a":true,"b":[1,{"c":"ä\\"","d":null}]}',
    );
    // printf '{"a":1,"b":[]}' | sha256sum
    expect(hashOf({ b: [], a: 1 })).toBe('f87e4099e9be5e75094e0a4f46d3dc18a9c37429314a5a2490fb78d31e7e170c');
  });

  it('does not depend on the order of keys, and does on everything else', () => {
    expect(hashOf({ a: 1, b: { c: 2, d: 3 } })).toBe(hashOf({ b: { d: 3, c: 2 }, a: 1 }));
    expect(hashOf([1, 2])).not.toBe(hashOf([2, 1]));
    expect(hashOf({ a: '1' })).not.toBe(hashOf({ a: 1 }));
    expect(hashOf({ a: null })).not.toBe(hashOf({}));
  });

  it('is the same for a cluster before and after Temporal turned it into JSON and back', () => {
    const cluster = parse(BASE);
    expect(hashOf(JSON.parse(JSON.stringify(cluster)))).toBe(hashOf(cluster));
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], [1n], [() => 1], [{ a: Symbol('x') }]])(
    'refuses what JSON cannot hold',
    (value) => {
      expect(() => hashOf(value)).toThrow(TypeError);
    },
  );
});
