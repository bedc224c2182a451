import { describe, expect, it } from 'vitest';
import { conntrack } from '../../../../../src/activities/check/host/conntrack.js';
import { drift } from '../../../../../src/activities/check/host/drift.js';
import { kernelLog } from '../../../../../src/activities/check/host/kernel-log.js';
import { wantedSystem } from '../../../../../src/activities/prepare/system-state.js';
import { digestOf } from '../../../../../src/activities/remote-facts.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { at, lay, link, look, program, remove, told, useOneHost } from './one-host.js';

useOneHost();

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const WORKER = at(CLUSTER, 'w-1');

/** Lines as the kernel writes them, behind what journalctl puts in front. */
function logged(...lines: string[]): void {
  lay('/log', lines.map((line) => `2026-11-27T10:00:00+0000 w-1 kernel: ${line}\n`).join(''));
  program('journalctl', 'cat "$(dirname "$0")/../log"');
}

describe("the kernel's log", () => {
  it('with what any host says is no fault', async () => {
    logged(
      'eth0: link becomes ready',
      'EXT4-fs (sda1): mounted filesystem with ordered data mode',
      'XFS (sdb): Mounting V5 Filesystem',
    );
    expect(await look(kernelLog, WORKER)).toEqual([]);
    logged('Killed process 1 (a)');
    expect(await look(kernelLog, WORKER)).toMatchObject([
      { evidence: expect.stringContaining('once in the last hour') },
    ]);
    logged();
    expect(await look(kernelLog, WORKER)).toEqual([]);
  });

  it.each([
    ['KW653', 'Memory cgroup out of memory: Killed process 4711 (java) total-vm:1kB, anon-rss:1kB'],
    ['KW653', 'Out of memory: Killed process 12 (etcd) total-vm:1kB'],
    ['KW654', 'INFO: task jbd2/sda1-8:222 blocked for more than 120 seconds.'],
    ['KW655', 'EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0'],
    ['KW655', 'EXT4-fs (sda1): Remounting filesystem read-only'],
    ['KW655', 'XFS (sdb1): Corruption detected. Unmount and run xfs_repair'],
    ['KW655', 'XFS (sdb1): metadata I/O error in "xfs_buf_ioend" at daddr 0x2 len 1 error 5'],
    ['KW655', 'blk_update_request: I/O error, dev sda, sector 1234 op 0x0:(READ)'],
    ['KW655', 'Buffer I/O error on dev dm-0, logical block 1, lost async page write'],
  ])('has %s for %s', async (code, line) => {
    logged('one', line, line, 'two');
    const [fault, ...more] = await look(kernelLog, WORKER);
    expect(fault).toMatchObject({ code, evidence: expect.stringContaining('2 times') });
    expect(fault?.evidence).toContain(line.slice(0, 40));
    expect(more).toEqual([]);
  });

  it('tells the last line of each kind, and nothing of drives without a disk', async () => {
    logged(
      'Killed process 1 (a)',
      'I/O error, dev sr0, sector 0',
      'Killed process 2 (b)',
      'I/O error, dev fd0, sector 0',
    );
    expect(await look(kernelLog, WORKER)).toMatchObject([
      { code: 'KW653', evidence: expect.stringContaining('2 (b)') },
    ]);
  });

  it('that is long comes back short', async () => {
    logged(...Array.from({ length: 5_000 }, (_, n) => `Killed process ${n} (${'x'.repeat(400)})`));
    const [fault] = await look(kernelLog, WORKER);
    expect(fault?.evidence).toContain('5000 times');
    expect(fault?.evidence.length).toBeLessThan(500);
  });

  it('that cannot be read is not known, whatever was read before', async () => {
    program('journalctl', 'echo "No journal files were found." >&2; echo "-- No entries --"');
    expect(await look(kernelLog, WORKER)).toMatchObject([
      { code: 'KW642', evidence: expect.stringContaining('no journal') },
    ]);
    program('journalctl', 'echo "Killed process 1 (a)"; exit 1');
    expect(await look(kernelLog, WORKER)).toMatchObject([{ code: 'KW642' }]);
    program('journalctl', 'exec sleep 60');
    const change = (script: string) => script.replaceAll('timeout 5', 'timeout 0.2');
    expect(await look(kernelLog, WORKER, { change })).toMatchObject([{ code: 'KW642' }]);
  });
});

describe('the table of connections', () => {
  const table = (count: string, most: string) => {
    lay('/proc/sys/net/netfilter/nf_conntrack_count', `${count}\n`);
    lay('/proc/sys/net/netfilter/nf_conntrack_max', `${most}\n`);
  };

  it.each([
    ['8000', '10000', []],
    ['8100', '10000', [{ code: 'KW656', evidence: 'its table of connections is 81 % full (8100 of 10000)' }]],
    ['10', '0', []],
    ['x', '10000', [{ code: 'KW642' }]],
  ])('with %s of %s', async (count, most, faults) => {
    table(count, most);
    expect(await look(conntrack, WORKER)).toMatchObject(faults);
  });

  it('is none where the kernel tracks nothing, and not known where it holds no limit or cannot be read', async () => {
    expect(await look(conntrack, WORKER)).toEqual([]);
    lay('/proc/sys/net/netfilter/nf_conntrack_count', '1\n');
    expect(await look(conntrack, WORKER)).toMatchObject([{ code: 'KW642' }]);
    remove('/proc/sys/net/netfilter');
    link('/proc/sys/net/netfilter', 'netfilter');
    expect(await look(conntrack, WORKER)).toMatchObject([
      { code: 'KW642', evidence: expect.stringContaining('symbolic links') },
    ]);
  });
});

describe('drift', () => {
  /** All that a worker is asked, as an install has left it. */
  function asInstalled(): Record<string, string> {
    const { features, sysctls, modulesFile, sysctlFile } = wantedSystem(CLUSTER, WORKER.host);
    return {
      modules: digestOf(modulesFile),
      sysctls: digestOf(sysctlFile),
      'boot-sysctls': '# /etc/sysctl.d/zz-kubewright.conf\nnet.ipv4.ip_forward = 1',
      'swap-units': '',
      ...Object.fromEntries(features.map(({ module }) => [`feature-${module}`, ''])),
      ...Object.fromEntries(sysctls),
    };
  }

  function judged(changes: Record<string, string | undefined>) {
    const facts = Object.entries({ ...asInstalled(), ...changes }).filter(([, text]) => text !== undefined);
    return drift.judge(WORKER, {
      facts: told(Object.fromEntries(facts) as Record<string, string>),
      sentAt: 0,
      answeredAt: 0,
    });
  }

  it('is none on a host as install has left it', () => {
    expect(judged({})).toEqual([]);
  });

  it.each([
    [{ 'net.ipv4.ip_forward': '0' }, 'KW657', 'set net.ipv4.ip_forward from 0 to 1'],
    [{ 'net.ipv4.ip_forward': '' }, 'KW657', 'from nothing to 1'],
    [{ 'boot-sysctls': '# /etc/sysctl.d/zzz.conf\nnet.ipv4.ip_forward = 0' }, 'KW657', '/etc/sysctl.d/zzz.conf'],
    [{ 'feature-br_netfilter': undefined }, 'KW658', 'load the kernel module br_netfilter'],
    [
      { sysctls: '', 'boot-sysctls': '# /etc/sysctl.d/10-a.conf\nnet.ipv4.ip_forward = 1' },
      'KW657',
      'write /etc/sysctl.d/zz-kubewright.conf, for no file sets net.bridge.bridge-nf-call-ip6tables',
    ],
    [
      // Before our file's name of today, and behind the one of an earlier version.
      {
        'boot-sysctls':
          '# /etc/sysctl.d/99-kubewright.conf\nnet.ipv4.ip_forward = 1\n# /etc/sysctl.d/99-z.conf\nnet.ipv4.ip_forward = 0',
      },
      'KW657',
      'take net.ipv4.ip_forward = 0 out of /etc/sysctl.d/99-z.conf',
    ],
    [{ 'network-manager': '' }, 'KW657', 'NetworkManager'],
    [{ modules: '' }, 'KW658', '/etc/modules-load.d/kubewright.conf'],
    [{ swaps: '/dev/sda2' }, 'KW659', 'switch swap off (/dev/sda2)'],
    [{ 'swap-units': undefined }, 'KW659', 'did not tell'],
    [{ 'boot-sysctls': undefined }, 'KW642', 'systemd-sysctl'],
  ])('%j is %s', (change, code, evidence) => {
    expect(judged(change)).toMatchObject([{ code, evidence: expect.stringContaining(evidence) }]);
  });

  it('is none where an earlier version has written other files, or under another name', () => {
    const text = '# /etc/sysctl.d/99-kubewright.conf\nnet.ipv4.ip_forward = 1';
    expect(judged({ sysctls: '', 'old-sysctls': '', 'boot-sysctls': text, modules: 'x' })).toEqual([]);
    expect(judged({ sysctls: 'x' })).toEqual([]);
    expect(judged({ 'network-manager': '', 'network-manager-file': 'x', 'network-manager-read': '' })).toEqual([]);
  });

  it('asks by real bash what it judges', async () => {
    for (const [name, value] of wantedSystem(CLUSTER, WORKER.host).sysctls)
      lay(`/proc/sys/${name.replaceAll('.', '/')}`, `${name === 'net.ipv4.ip_forward' ? '0' : value}\n`);
    program('systemctl', 'exit 1');
    const codes = new Map((await look(drift, WORKER)).map(({ code, evidence }) => [code, evidence]));
    expect(codes.get('KW657')).toContain('set net.ipv4.ip_forward from 0 to 1');
    expect(codes.get('KW657')).not.toContain('set net.bridge');
    expect(codes.get('KW659')).toContain('ask systemd for its swap units');
  });
});
