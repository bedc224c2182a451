import { describe, expect, it } from 'vitest';
import { disks } from '../../../../../src/activities/check/host/disks.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { at, lay, look, program, seen, useOneHost } from './one-host.js';

useOneHost();

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1, directors: 1 });
const DIRECTOR = at(CLUSTER, 'lb-1');
const WORKER = at(CLUSTER, 'w-1');

interface Disk {
  mount?: string;
  device?: number;
  /** Shares in percent. */
  free?: number;
  inodes?: number;
  options?: string;
}

/** A `stat` of these folders, each of 1,000 blocks of 100 MiB and 1,000 inodes, and the kernel's list of their mounts. */
function folders(of: Record<string, Disk>): void {
  const quoted = (path: string) => `*${path === '/' ? '' : path}`;
  const cases = Object.entries(of).flatMap(([path, { mount = '/', device = 1, free = 50, inodes = 50 }]) => [
    `at:${quoted(path)}) echo "at $path ${device} ${mount}" ;;`,
    `space:${quoted(path)}) echo "space $path 104857600 1000 ${free * 10} 1000 ${inodes * 10}" ;;`,
  ]);
  // The longest name first: a pattern for the root fits everything.
  cases.sort((a, b) => b.indexOf(')') - a.indexOf(')'));
  program(
    'stat',
    `case $* in *space*) kind=space ;; *) kind=at ;; esac
while [ "$1" != -- ]; do shift; done
shift
for path in "$@"; do case $kind:$path in
${cases.join('\n')}
esac; done`,
  );
  const mounts = Object.values(of).map(
    ({ mount = '/', options = 'rw,relatime' }) => `/dev/x ${mount} ext4 ${options} 0 0`,
  );
  lay('/proc/self/mounts', `${[...new Set(mounts)].join('\n')}\n`);
}

describe('disks', () => {
  it('with room are no fault, however the folders lie on them', async () => {
    folders({ '/': {}, '/var/log': { mount: '/var', device: 2, free: 15, inodes: 10 } });
    expect(await look(disks, DIRECTOR)).toEqual([]);
  });

  it('that are short of space or inodes are told once each, with the folders that lie there', async () => {
    folders({ '/': { free: 14 }, '/var/log': { free: 14 } });
    expect(await look(disks, DIRECTOR)).toEqual([
      { code: 'KW646', evidence: '/ (with /var/log) has 14 % of 98 GiB free', hint: expect.any(String) },
    ]);
    folders({ '/': {}, '/var/log': { mount: '/var', device: 2, inodes: 4 } });
    expect(await look(disks, DIRECTOR)).toMatchObject([
      { code: 'KW647', evidence: '/var (with /var/log) has 4.0 % of its inodes free' },
    ]);
  });

  it('with images may be as full as the kubelet keeps them, unless it collects none', async () => {
    const images = (free: number) => {
      const own = { mount: '/data', device: 2, free };
      folders({ '/': { free: 16 }, '/var/log': {}, '/var/lib/kubelet': {}, '/var/lib/containerd': own });
      return look(disks, WORKER);
    };
    lay('/var/lib/kubelet/config.yaml', 'kind: KubeletConfiguration\nimageGCHighThresholdPercent: 85\n');
    expect(await images(15)).toEqual([]);
    expect(await images(14)).toMatchObject([{ code: 'KW646', evidence: expect.stringContaining('/data') }]);
    lay('/var/lib/kubelet/config.yaml', 'kind: KubeletConfiguration\nimageGCHighThresholdPercent: 100\n');
    // The other file system, which holds none, stays as it was.
    expect(await images(19)).toMatchObject([{ code: 'KW646', evidence: expect.stringContaining('/data') }]);
    expect(await images(20)).toEqual([]);
  });

  it('may be fuller where evictionHard says so', async () => {
    folders({ '/': { free: 8 }, '/var/log': {} });
    const withHard = (evictionHard: Record<string, string>) => {
      const kubernetes = { ...CLUSTER.kubernetes, kubelet: { config: { evictionHard }, extraArgs: [] } };
      return look(disks, at({ ...CLUSTER, kubernetes }, 'lb-1'));
    };
    expect(await withHard({ 'nodefs.available': '1%', 'imagefs.available': '2%' })).toEqual([]);
    expect(await withHard({ 'nodefs.available': '1%', 'imagefs.available': '4%' })).toMatchObject([{ code: 'KW646' }]);
    folders({ '/': { free: 17 }, '/var/log': {} });
    expect(await withHard({ 'nodefs.available': '10%', 'imagefs.available': '15%' })).toEqual([]);
    expect(await withHard({ 'nodefs.available': '18%' })).toMatchObject([{ code: 'KW646' }]);
    folders({ '/': { free: 8 }, '/var/log': {} });
    expect(await withHard({ 'memory.available': '1%' })).toMatchObject([{ code: 'KW646' }]);
  });

  it('that take no writes any more are told', async () => {
    folders({ '/': {}, '/var/log': { mount: '/var', device: 2, options: 'ro,relatime,errors=remount-ro' } });
    expect(await look(disks, DIRECTOR)).toMatchObject([{ code: 'KW648', evidence: expect.stringContaining('/var') }]);
    folders({ '/': {}, '/var/log': { mount: '/var', device: 2, options: 'rw,errors=remount-ro' } });
    expect(await look(disks, DIRECTOR)).toEqual([]);
  });

  it('that do not count inodes, such as btrfs, are not short of them', async () => {
    folders({ '/': {}, '/var/log': {} });
    program(
      'stat',
      `case $* in *space*) echo 'space / 4096 1000 500 0 0' ;; *) echo 'at / 1 /' ;; esac
echo "stat: cannot stat '/var/log': No such file or directory" >&2; exit 1`,
    );
    expect(await look(disks, DIRECTOR)).toEqual([]);
  });

  it('that cannot be looked at are never taken for good ones', async () => {
    folders({ '/': {} });
    program(
      'stat',
      `case $* in *space*) echo 'space / 4096 1000 500 100 90' ;; *) echo 'at / 1 /' ;; esac
echo "stat: cannot stat '/var/log': Input/output error" >&2; exit 1`,
    );
    expect(await look(disks, DIRECTOR)).toMatchObject([
      { code: 'KW642', evidence: expect.stringMatching(/\/var\/log could not be looked at: .*Input\/output error/) },
    ]);
    program('stat', 'exit 0');
    expect(await look(disks, DIRECTOR)).toMatchObject([{ code: 'KW642' }, { code: 'KW642' }]);
    program('stat', 'exec sleep 60');
    const began = Date.now();
    const change = (script: string) => script.replaceAll('timeout 5', 'timeout 0.2');
    expect(await look(disks, DIRECTOR, { change })).toMatchObject([
      { code: 'KW642', evidence: expect.stringContaining('did not end') },
    ]);
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  it('of the machine that runs this test can be read as they are, with those of a control plane that are not there', async () => {
    lay('/proc/self/mounts', '/dev/x / ext4 rw 0 0\n');
    const found = await look(disks, at(CLUSTER, 'cp-1'));
    // Whatever is true of this machine's disk, nothing is unknown but mounts that the list above does not name.
    expect(found.filter(({ code, evidence }) => code === 'KW642' && !evidence.includes('takes writes'))).toEqual([]);
  });
});

describe('disks that fill', () => {
  const NOW = 30_000_000;
  const minutes = (minute: number) => ({ now: minute * 60_000 });

  /** Looks at these minutes, each with what the one before has seen; what the last one says. */
  async function lookedAt(looks: [minute: number, of: Record<string, Disk>][]) {
    let where = DIRECTOR;
    let faults: unknown;
    for (const [minute, of] of looks) {
      folders(of);
      faults = await look(disks, where, minutes(NOW + minute));
      const { disks: trends = [] } = await seen(disks, where, minutes(NOW + minute));
      where = { ...DIRECTOR, before: { disks: trends } };
    }
    return { faults, trends: where.before?.disks ?? [] };
  }
  const both = (disk: Disk) => ({ '/': {}, '/var/log': { mount: '/var', device: 2, ...disk } });

  it('are told before they are full, with when and how fast', async () => {
    const { faults, trends } = await lookedAt([
      [0, both({ free: 32, inodes: 39 })],
      [30, both({ free: 30, inodes: 39 })],
      [60, both({ free: 28, inodes: 39 })],
    ]);
    expect(faults).toEqual([
      {
        code: 'KW668',
        evidence:
          '/var (with /var/log) is full in 7 h if it goes on as in the last 60 min: 27.3 GiB free, 3.9 GiB less each hour',
        hint: expect.stringContaining('du -xh'),
      },
    ]);
    expect(trends.map(({ mount, of, samples }) => [mount, of, samples.map(([, free]) => free)])).toEqual([
      ['/var', 'space', [32_000, 30_000, 28_000]],
      ['/var', 'inodes', [390, 390, 390]],
    ]);
  });

  it('of inodes are told the same', async () => {
    const { faults } = await lookedAt([0, 30, 60].map((minute) => [minute, both({ inodes: 38 - minute / 30 })]));
    expect(faults).toMatchObject([{ code: 'KW668', evidence: expect.stringContaining('no inode left in 18 h') }]);
  });

  it('and have much room, or take no writes, are not followed', async () => {
    const { faults, trends } = await lookedAt([
      [0, both({ free: 60 })],
      [30, both({ free: 50 })],
      [60, both({ free: 40 })],
    ]);
    expect({ faults, trends }).toEqual({ faults: [], trends: [] });
    const readOnly = await lookedAt(
      [0, 30, 60].map((minute) => [minute, both({ free: 38 - minute / 30, options: 'ro' })]),
    );
    expect(readOnly.trends).toEqual([]);
  });
});
