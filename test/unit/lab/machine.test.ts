import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostSettings } from '../../../lab/hosts/carriers/namespace/launch.js';
import { parseHierarchies, planCgroups } from '../../../lab/hosts/machine/cgroups.js';
import { missingPackages } from '../../../lab/hosts/machine/packages.js';
import { checkKernel, checkMachine, checkPath, checkSpace } from '../../../lab/hosts/machine/requirements.js';
import { until } from '../../../lab/hosts/machine/run.js';
import { shellQuote } from '../../../lab/hosts/machine/shell.js';
import { faultTable } from '../../../lab/hosts/network/switch.js';
import { planHosts } from '../../../lab/hosts/plan/hosts.js';
import { chooseSubnet } from '../../../lab/hosts/plan/subnet.js';
import type { LabRecord } from '../../../lab/hosts/types.js';

const V1_CGROUP = `4:memory:/jobs/42
3:cpuset:/
2:cpu,cpuacct:/
1:name=systemd:/
0::/
`;
const V1_MOUNTS = `36 35 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
37 35 0:32 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
38 35 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
39 35 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
40 35 0:35 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw
`;

describe('cgroups', () => {
  test('version 1: each hierarchy has its own place of the caller', () => {
    const hierarchies = parseHierarchies(V1_CGROUP, V1_MOUNTS);
    expect(Object.fromEntries(hierarchies.map(({ controllers, own }) => [controllers.join(), own]))).toEqual({
      'cpu,cpuacct': '/sys/fs/cgroup/cpu,cpuacct',
      cpuset: '/sys/fs/cgroup/cpuset',
      memory: '/sys/fs/cgroup/memory/jobs/42',
      'name=systemd': '/sys/fs/cgroup/systemd',
      '': '/sys/fs/cgroup/unified',
    });
    expect(planCgroups('x', hierarchies)).toMatchObject({
      unified: false,
      processes: '/sys/fs/cgroup/unified/kubewright-lab-x',
      memory: '/sys/fs/cgroup/memory/jobs/42/kubewright-lab-x',
    });
  });

  test('version 2 alone', () => {
    const hierarchies = parseHierarchies(
      '0::/user.slice/session-1.scope\n',
      '30 20 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n',
    );
    const directory = '/sys/fs/cgroup/user.slice/session-1.scope/kubewright-lab-x';
    expect(planCgroups('x', hierarchies)).toEqual({
      unified: true,
      directories: [directory],
      processes: directory,
      memory: directory,
    });
  });

  test('in a container only a part of a hierarchy is mounted', () => {
    const [memory] = parseHierarchies(
      '4:memory:/docker/abc/inner\n',
      '38 35 0:33 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n',
    );
    expect(memory?.own).toBe('/sys/fs/cgroup/memory/inner');
  });
});

describe('what the machine must be', () => {
  test('Linux, and root', () => {
    expect(() => checkMachine('linux', 0)).not.toThrow();
    expect(() => checkMachine('darwin', 501)).toThrow('The lab needs Linux; this is darwin.');
    expect(() => checkMachine('linux', 1000)).toThrow('The lab needs root');
  });
  test('all that the kernel lacks is said in one sentence', async () => {
    const script = join(await mkdtemp(join(tmpdir(), 'kubewright-test-')), 'probe.sh');
    await writeFile(script, 'printf "bridges\\noverlayfs\\n"\n');
    await expect(checkKernel(script)).rejects.toMatchObject({
      code: 'KW608',
      message: "This machine's kernel lacks: bridges, overlayfs.",
    });
    await rm(dirname(script), { recursive: true });
  });
  test('programs that are missing are named by their package', async () => {
    expect(await missingPackages({ 'systemd-nspawn': 'systemd-container' }, '/nonexistent')).toEqual(
      expect.arrayContaining(['systemd-container', 'debootstrap', 'iptables', 'nftables', 'openssh-client']),
    );
  });
  test('room on the disk', async () => {
    await expect(checkSpace('/tmp/not/there/yet', 1_000_000)).rejects.toMatchObject({ code: 'KW609' });
    await expect(checkSpace('/tmp/not/there/yet', 0)).resolves.toBeUndefined();
  });
  test.each(['/a b', '/a:b', '/a,b', '/a"b', "/a'b", '/a\\b', '/a\nb'])('no lab lives in %j', (path) => {
    expect(() => checkPath(path)).toThrow(expect.objectContaining({ code: 'KW615' }));
  });
});

describe('what the scripts are given', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubewright-test-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const plan = planHosts({ hosts: 3, kinds: { 'cp-2': ['bastion'], 'cp-3': ['no-mirror'] } }, chooseSubnet([]));
  const record: LabRecord = {
    name: 'x',
    plan,
    base: "/cache/it's $HOME",
    diskGiB: 20,
    cgroups: { unified: false, directories: ['/c/one', '/c/two $(id)'], processes: '/c/two $(id)', memory: '/c/one' },
  };

  test('bash reads the settings as they were meant', async () => {
    const [host] = plan.hosts;
    if (!host) throw new Error('no host');
    const file = join(directory, 'settings');
    await writeFile(file, hostSettings({ labDirectory: '/state/lab', lab: record, host }, 77));
    const script = `. ${shellQuote(file)}; printf '%s\\n' "$HOST" "$ADDRESS" "$BASE" "$SWITCH" "\${CGROUPS[@]}"`;
    const { stdout } = await execa('bash', ['--norc', '-c', script]);
    expect(stdout.split('\n')).toEqual([
      'cp-1',
      '10.88.0.11',
      "/cache/it's $HOME",
      '/proc/77/ns/net',
      // First the one by which `lab down` finds its processes.
      '/c/two $(id)/cp-1',
      '/c/one/cp-1',
    ]);
  });

  test('the bridge drops what a kind forbids, and nothing else', () => {
    const table = faultTable(plan);
    expect(table).toContain('ip saddr 10.88.0.1 ip daddr { 10.88.0.12 } drop');
    expect(table).toContain('oifname "uplink" ip saddr { 10.88.0.13 } ip daddr != 10.88.0.1 drop');
    expect(faultTable(planHosts({ hosts: 3 }, chooseSubnet([])))).not.toContain('10.88');
  });

  test('the bridge lets nothing out to addresses of Services, those of the cluster.yaml where there is one', () => {
    expect(faultTable(plan)).toContain('oifname "uplink" ip daddr 10.96.0.0/12 drop');
    expect(faultTable({ ...plan, serviceSubnet: '172.20.0.0/16' })).toContain('ip daddr 172.20.0.0/16 drop');
  });
});

describe('until', () => {
  test('gives what the condition gives, or undefined when the time is over', async () => {
    let calls = 0;
    expect(await until(() => (++calls === 3 ? 'done' : undefined), 1_000, 1)).toBe('done');
    expect(await until(() => false, 5, 1)).toBeUndefined();
  });
});
