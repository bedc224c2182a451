import { describe, expect, it } from 'vitest';
import { newestOf, type SeenSnapshot, snapshotFindings } from '../../../src/plan/snapshot-age.js';

const HOUR = 3_600_000;
const NOW = 500_000 * HOUR;
const WANTED = { hosts: ['cp-1', 'cp-2', 'cp-3'], files: '/var/backups/etcd/*.db', maxAge: 26 * HOUR };

const has = (host: string, hours: number): SeenSnapshot => ({ host, file: `/b/${host}.db`, at: NOW - hours * HOUR });
const hasNone = (host: string): SeenSnapshot => ({ host });
const found = (...seen: SeenSnapshot[]) =>
  snapshotFindings(WANTED, seen, NOW).map(({ code, evidence }) => `${code} ${evidence}`);

describe('the newest snapshot', () => {
  it('of all hosts counts: one host may make them', () => {
    expect(found(has('cp-1', 26), hasNone('cp-2'), has('cp-3', 900))).toEqual([]);
    expect(newestOf([has('cp-1', 30), hasNone('cp-2'), has('cp-3', 29)])).toEqual(has('cp-3', 29));
    expect(newestOf([hasNone('cp-2')])).toBeUndefined();
  });

  it('that is too old is told with its host, its file and its age', () => {
    expect(found(has('cp-1', 27), hasNone('cp-2'), has('cp-3', 900))).toEqual([
      'KW669 the newest snapshot of etcd is 27 h old, more than 26 h: /b/cp-1.db on cp-1',
    ]);
  });

  it('that is nowhere is told', () => {
    expect(found(hasNone('cp-1'), hasNone('cp-2'), hasNone('cp-3'))).toEqual([
      'KW669 there is no snapshot of etcd: no host has a file /var/backups/etcd/*.db that is not empty (cp-1, cp-2, cp-3)',
    ]);
  });

  it('is not known while a host does not say, unless another has one', () => {
    expect(found()).toEqual([]);
    expect(found(hasNone('cp-1'), hasNone('cp-2'))).toEqual([]);
    expect(found(has('cp-1', 27), hasNone('cp-2'))).toEqual([]);
    expect(found(has('cp-1', 1))).toEqual([]);
  });
});
