import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../../src/cluster/types.js';
import { CLUSTER, INSTALLED, ownerLine as owner, problemsWith as problems } from './fixtures.js';

const NODE = { leftover: INSTALLED.leftover, kubelet: INSTALLED.kubelet };

function withKubernetes(change: Partial<Cluster['kubernetes']>): Cluster {
  return { ...CLUSTER, kubernetes: { ...CLUSTER.kubernetes, ...change } };
}

describe('disks', () => {
  const disk = (folder: string, device: string, total: number, free: number) => [
    folder,
    device,
    String(total),
    String(free),
    `/mnt/${device}`,
  ];
  const GIB = 1024 * 1024;
  /**
   * 550 MiB of archives, five times that unpacked and stored, 103 MiB of programs and what they travel in, 1 GiB of slack; and
   * 15 % to stay free.
   */
  const NEED = (550 * 6 + 103 + 103 / 4 + 1024) * 1024;

  const one = (free: number, total = 40 * GIB) => ({
    disk: ['/var/lib/containerd', '/var/lib/kubelet', '/var/lib/kubewright', '/opt/kubewright'].map((folder) =>
      disk(folder, '1', total, free),
    ),
  });

  it('must hold what is going to be installed, and keep free what the kubelet wants', () => {
    const enough = NEED + 0.15 * 40 * GIB;
    expect(problems(one(enough + 1))).toEqual([]);
    expect(problems(one(enough - 1024))).toEqual([
      expect.objectContaining({ code: 'KW312', what: expect.stringContaining('/mnt/1') }),
    ]);
  });

  it('are judged one by one', () => {
    const own = one(38 * GIB);
    own.disk[0] = disk('/var/lib/containerd', '2', 10 * GIB, GIB);
    const found = problems(own);
    expect(found).toHaveLength(1);
    expect(found[0]?.what).toContain('/mnt/2');
  });

  it('may be fuller where evictionHard says so', () => {
    const cluster = withKubernetes({
      kubelet: { config: { evictionHard: { 'imagefs.available': '1%' } }, extraArgs: [] },
    });
    expect(problems(one(NEED + 1), { cluster })).toEqual([]);
  });

  it('are not judged where the node is installed already', () => {
    expect(problems({ ...one(0), owner: owner(), ...NODE })).toEqual([]);
  });
});
