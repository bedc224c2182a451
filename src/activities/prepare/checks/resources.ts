import type { Bundle } from '../../../bundle/bundle.js';
import { checkImages, filesBelow, imagesFor } from '../../../bundle/bundle.js';
import { LOAD_BALANCER_FOLDER } from '../../../bundle/programs.js';
import { isNode, isOutside } from '../../../cluster/roles.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { holdsMember, runsContainers, runtimeOf } from '../../../components/registry/plan.js';
import { imageQuery } from '../../../components/registry/work.js';
import { PROGRAM_ROOT } from '../../../render/program-paths.js';
import type { DiskFacts, HostFacts } from '../facts/index.js';
import { ignores } from './ignores.js';
import type { Checked } from './index.js';
import { listed, type Problem } from './problem.js';

/** kubeadm's own minimum for a control plane (cmd/kubeadm/app/constants: ControlPlaneNumCPU, ControlPlaneMem). */
const MINIMUM_CPUS = 2;
const MINIMUM_MEMORY_MIB = 1700;

/** Packages, logs and, on hosts that hold a member, etcd's first write-ahead logs (64 MiB each) and database. */
const SLACK_MIB = 512;
const ETCD_MIB = 512;

/** Layers travel compressed; unpacked, images of Go programs are about four times as large (zstd: 3.8, gzip: 3.5). */
const UNPACKED = 4;

/** The kubelet's default evictionHard: below this share of free space it evicts pods and accepts no more. */
const EVICTION_SHARE = { nodefs: 0.1, imagefs: 0.15 };

/** CPUs, memory, swap, and folders that cannot do what they are for. */
export function checkMachine({ facts, host, cluster }: Checked): Problem[] {
  const problems = checkFolders(facts, host, runtimeOf(cluster).imageFolder);
  if (host.role === 'control-plane') {
    if (facts.cpus < MINIMUM_CPUS && !ignores(cluster.kubernetes, 'NumCPU')) {
      const what = `it has ${facts.cpus} CPU, and kubeadm wants ${MINIMUM_CPUS} for a control plane`;
      problems.push({ code: 'KW310', what, hint: 'Give it more, or add NumCPU to kubernetes.ignorePreflightErrors.' });
    }
    const memory = Math.floor(facts.memoryTotalKiB / 1024);
    if (memory < MINIMUM_MEMORY_MIB && !ignores(cluster.kubernetes, 'Mem')) {
      const what = `it has ${memory} MiB of memory, and kubeadm wants ${MINIMUM_MEMORY_MIB} for a control plane`;
      problems.push({ code: 'KW310', what, hint: 'Give it more, or add Mem to kubernetes.ignorePreflightErrors.' });
    }
  }
  return [...problems, ...checkSwap(facts, cluster, host)];
}

function checkFolders({ noexec, danglingLinks }: HostFacts, { role }: ClusterHost, imageFolder: string): Problem[] {
  const folders = isOutside(role) ? [PROGRAM_ROOT] : [imageFolder, PROGRAM_ROOT];
  const forbidding = noexec.filter(({ folder }) => folders.includes(folder));
  return [
    ...forbidding.map(({ folder, mount }) => ({
      code: 'KW324',
      what: `no program can run from ${folder}: ${mount} is mounted with noexec`,
      hint: `Mount it without noexec (/etc/fstab), or give ${folder} a file system of its own.`,
    })),
    ...danglingLinks.map(({ path, target }) => ({
      code: 'KW324',
      what: `${path} is a link to ${target}, which is no directory`,
      hint: 'Make the directory, mount the disk that it lies on, or remove the link.',
    })),
  ];
}

/**
 * Swap is no problem in itself: the step `system` switches it off, with the original /etc/fstab kept. It is one where that
 * cannot work, and none where the kubelet is configured to live with it.
 */
function checkSwap(facts: HostFacts, cluster: Cluster, host: ClusterHost): Problem[] {
  if (facts.swaps.length === 0 || !swapMustGo(cluster, host)) return [];
  const names = listed(facts.swaps.map(({ path }) => path));
  if (facts.container !== undefined) {
    const what = `the machine that this ${facts.container} container runs on uses swap (${names})`;
    const hint = 'Switch it off there, or set kubernetes.kubelet.config.failSwapOn: false.';
    return [{ code: 'KW311', what, hint }];
  }
  const used = facts.swaps.reduce((sum, swap) => sum + swap.usedKiB, 0);
  if (used < facts.memoryAvailableKiB) return [];
  const what = `${mebibytes(used)} MiB are swapped out to ${names}, more than its free memory can take back`;
  return [
    { code: 'KW311', what, hint: 'End what uses so much memory, or set kubernetes.kubelet.config.failSwapOn: false.' },
  ];
}

/** Whether a kubelet on the host would refuse to start with swap (KubeletConfiguration's failSwapOn, true by default). */
export function swapMustGo({ kubernetes }: Pick<Cluster, 'kubernetes'>, { role }: Pick<ClusterHost, 'role'>): boolean {
  return !isOutside(role) && kubernetes.kubelet.config.failSwapOn !== false;
}

/**
 * Whether what is going to be installed fits, by file system, with the share of free space that the kubelet insists on.
 * Only on a host that is not ours yet: on one that is, part of it is installed already.
 */
export function checkDisks({ facts, host, cluster }: Checked, bundle: Bundle | undefined): Problem[] {
  if (bundle === undefined) return [];
  const needs = needsByFolder(cluster, host, bundle);
  const problems: Problem[] = [];
  for (const disks of byFileSystem(facts.disks)) {
    const [disk] = disks;
    if (disk === undefined) continue;
    const need = disks.reduce((sum, { folder }) => sum + (needs[folder] ?? 0), 0);
    const share = isOutside(host.role) ? 0 : reservedShare(disks, cluster);
    const left = disk.freeKiB - need - share * disk.totalKiB;
    if (left >= 0) continue;
    const what = `${disk.mount} has ${mebibytes(disk.freeKiB)} MiB free; ${mebibytes(need)} MiB are going to be installed there, and the kubelet wants ${Math.round(share * 100)} % of its ${mebibytes(disk.totalKiB)} MiB to stay free`;
    problems.push({ code: 'KW312', what, hint: `Free ${mebibytes(-left)} MiB there, or give the host a larger disk.` });
  }
  return problems;
}

/** Folders of the bundle whose programs a host gets. */
const FOLDERS: Record<ClusterHost['role'], readonly string[]> = {
  'control-plane': ['bin', 'cni', LOAD_BALANCER_FOLDER],
  worker: ['bin', 'cni'],
  etcd: ['bin', 'cni'],
  director: [LOAD_BALANCER_FOLDER],
};

/**
 * KiB that each folder grows by. Archives are removed after their import, and what programs travelled in after they are
 * unpacked, but lie there while it goes on.
 */
function needsByFolder(cluster: Cluster, host: ClusterHost, bundle: Bundle): Record<string, number> {
  const images = runsContainers(cluster, host.role) ? imagesFor(bundle, host.role, imageQuery(cluster)) : [];
  const all = isNode(host.role) ? [...images, ...checkImages(bundle)] : images;
  const archives = all.reduce((sum, { size }) => sum + size, 0) / 1024;
  const folders = FOLDERS[host.role];
  const binaries = folders.flatMap((folder) => filesBelow(bundle, folder));
  return {
    [runtimeOf(cluster).imageFolder]: archives * (1 + UNPACKED),
    '/var/lib/kubewright': archives,
    '/var/lib/kubelet': (SLACK_MIB + (holdsMember(cluster, host.role) ? ETCD_MIB : 0)) * 1024,
    [PROGRAM_ROOT]: binaries.reduce((sum, { size, packed }) => sum + size + (packed?.size ?? 0), 0) / 1024,
  };
}

function byFileSystem(disks: DiskFacts[]): DiskFacts[][] {
  const groups = new Map<string, DiskFacts[]>();
  for (const disk of disks) groups.set(disk.device, [...(groups.get(disk.device) ?? []), disk]);
  return [...groups.values()];
}

function reservedShare(disks: DiskFacts[], cluster: Cluster): number {
  if (cluster.kubernetes.kubelet.config.evictionHard !== undefined) return 0;
  const folders = disks.map(({ folder }) => folder);
  if (folders.includes(runtimeOf(cluster).imageFolder)) return EVICTION_SHARE.imagefs;
  return folders.includes('/var/lib/kubelet') ? EVICTION_SHARE.nodefs : 0;
}

function mebibytes(kibibytes: number): number {
  return Math.ceil(kibibytes / 1024);
}
