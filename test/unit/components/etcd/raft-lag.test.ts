import { describe, expect, it } from 'vitest';
import { raftFaults } from '../../../../src/components/etcd/members/raft-lag.js';
import { clusterOf } from '../../cluster-fixture.js';

const { hosts } = clusterOf({ controlPlanes: 3, workers: 0 });

/** As etcdctl 3.6 prints it. */
function status(...indices: [index: number, applied: number][]): string {
  const answers = indices.map(([raftIndex, raftAppliedIndex], at) => ({
    Endpoint: `https://${hosts[at]?.address}:2379`,
    Status: {
      header: { cluster_id: 1, raft_term: 3 },
      version: '3.6.5',
      dbSize: 4,
      leader: 7,
      raftIndex,
      raftTerm: 3,
      raftAppliedIndex,
    },
  }));
  return JSON.stringify(answers);
}

describe('a member of etcd', () => {
  it('is not behind while it is a few writes late, as all followers are', () => {
    expect(raftFaults(hosts, status([90_000, 90_000], [89_990, 89_990], [85_000, 85_000]))).toEqual([]);
  });

  it('is behind when it lacks what the others have', () => {
    expect(raftFaults(hosts, status([90_000, 90_000], [90_000, 89_999], [84_999, 84_000]))).toEqual([
      `${hosts[2]?.name} is 6000 entries behind the other members`,
    ]);
  });

  it('is behind when it has all, and does not apply it', () => {
    expect(raftFaults(hosts, status([90_000, 80_000], [90_000, 90_000], [90_000, 90_000]))).toHaveLength(1);
  });

  it('that tells nothing of it is not judged', () => {
    expect(raftFaults(hosts, '')).toEqual([]);
    expect(raftFaults(hosts, status().slice(0, -1))).toEqual([]);
    expect(raftFaults(hosts, JSON.stringify([{ Endpoint: 'https://10.0.0.1:2379', Status: { header: {} } }]))).toEqual(
      [],
    );
  });
});
