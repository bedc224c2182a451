import { isNode } from '../../../cluster/roles.js';
import { ETCD_KUBELET_CONFIG_PATH } from '../../../components/etcd/members/places.js';
import { etcdOf, holdsMember, runsContainers, runtimeOf } from '../../../components/registry/plan.js';
import type { DiskTrend } from '../../../plan/disk-trend.js';
import {
  type Answers,
  type Concern,
  couldNotLook,
  type Fault,
  type LookedAt,
  listed,
  QUESTION_SECONDS,
} from './concern.js';
import { diskTrends, fillingFaults } from './filling.js';

/**
 * Points above the share below which a kubelet ends pods: there is time left to do something. A finding that comes with the
 * eviction would come too late.
 */
const MARGIN = 5;

/**
 * Shares that have to be free, in percent. The kubelet's hard eviction thresholds are nodefs.available<10%, imagefs.available<15%
 * and inodesFree<5% of both (https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds).
 *
 * A node that has run for long has 15 to 20 % free where its images are: there the kubelet begins to collect them, and stops. Below
 * that the collection has not helped. Where it is off (100) nothing ever frees images, and the margin counts there, too.
 */
const LEAST = { space: 10 + MARGIN, uncollected: 15 + MARGIN, inodes: 5 + MARGIN };

const GIB = 2 ** 30;

/**
 * Bash: `disks CONFIG PATH…` prints `at PATH DEVICE MOUNT`, `space PATH BLOCKSIZE BLOCKS FREE INODES FREE` and `mount OPTIONS MOUNT`; what stat
 * says of a path that it cannot look at stands between them. `uncollected` is where the kubelet's configuration has its collection
 * of images off: it is made on the host, by what its runtime tells.
 */
const FUNCTIONS = `bounded_stat() {
  LC_ALL=C timeout ${QUESTION_SECONDS} stat "$@" 2>&1
  [ $? -lt 124 ] || { echo '\`stat\` did not end within ${QUESTION_SECONDS} s' >&2; return 1; }
}
disks() {
  local kw_at kw_space kw_config=$1
  shift
  kw_at=$(bounded_stat -L -c 'at %n %d %m' -- "$@") || return 1
  kw_space=$(bounded_stat -f -c 'space %n %S %b %a %c %d' -- "$@") || return 1
  printf '%s\\n' "$kw_at" "$kw_space"
  awk 'NR == FNR {wanted[$0] = 1; next} $2 in wanted {options[$2] = $4} END {for (path in options) print "mount", options[path], path}' \\
    <(sed -n 's/^at [^ ]* [^ ]* //p' <<<"$kw_at") /proc/self/mounts
  timeout ${QUESTION_SECONDS} grep -qsE '^imageGCHighThresholdPercent: *100$' "$kw_config"
  case $? in
    0) echo uncollected ;;
    124) echo "$kw_config could not be read within ${QUESTION_SECONDS} s" >&2; return 1 ;;
  esac
}`;

/**
 * Space and inodes of the file systems that a host grows in, when they are used up if it goes on as in the last hours, and whether one of
 * them takes nothing any more.
 */
export const disks: Concern = {
  questions: (at) => `${FUNCTIONS}\nask disks disks ${kubeletConfigOf(at)} ${foldersOf(at).join(' ')} &`,

  judge(at, answers) {
    const answer = answers.facts.answer('disks', '');
    if (answer.is !== 'yes') return [couldNotLook('its disks', answer.is === 'unknown' ? answer.why : answer.evidence)];
    const lines = answer.value.split('\n');
    const { seen, untold } = fileSystemsIn(at, lines);
    const collects = !lines.includes('uncollected');
    return [
      ...seen.flatMap((each) => faultsOf(each, leastSpace(at, each, collects))),
      ...seen.flatMap((each) => fillingFaults(trendsOf(at, each, answers), nameOf(each))),
      ...untold.map(({ path, why }) => couldNotLook(`the file system of ${path}`, why)),
    ];
  },

  sees(at, answers) {
    const answer = answers.facts.answer('disks', '');
    if (answer.is !== 'yes') return {};
    const { seen } = fileSystemsIn(at, answer.value.split('\n'));
    const followed = seen.flatMap((each) => trendsOf(at, each, answers));
    return followed.length === 0 ? {} : { disks: followed };
  },
};

function fileSystemsIn(at: LookedAt, lines: string[]): { seen: FileSystem[]; untold: { path: string; why: string }[] } {
  const folders = foldersOf(at).map((path) => read(path, lines));
  const untold = folders.flatMap((folder) => ('why' in folder ? [folder] : []));
  return { seen: fileSystems(folders.flatMap((folder) => ('device' in folder ? [folder] : []))), untold };
}

function foldersOf({ cluster, host: { role } }: LookedAt): string[] {
  return [
    '/',
    '/var/log',
    ...(holdsMember(cluster, role) ? [etcdOf(cluster).dataDirectory] : []),
    ...(runsContainers(cluster, role) ? ['/var/lib/kubelet', runtimeOf(cluster).imageFolder] : []),
  ];
}

/** Not there where no kubelet runs. */
function kubeletConfigOf({ host: { role } }: LookedAt): string {
  return isNode(role) ? '/var/lib/kubelet/config.yaml' : ETCD_KUBELET_CONFIG_PATH;
}

interface Folder {
  path: string;
  device: string;
  mount: string;
  /** `undefined` where the kernel does not tell of its mount. */
  options: string | undefined;
  bytes: number;
  freeBytes: number;
  /** All and free ones; undefined where the file system does not count inodes. */
  inodes: { all: number; free: number } | undefined;
}

/** What was told of one folder: nothing of one that is not there, for other looks tell what lacks. */
function read(path: string, lines: string[]): Folder | { path: string; why: string } | { path: string } {
  const error = lines.find((line) => line.startsWith('stat: ') && line.includes(`'${path}'`));
  if (error !== undefined) return /No such file/.test(error) ? { path } : { path, why: error };
  const fieldsOf = (kind: string) => lines.find((line) => line.startsWith(`${kind} ${path} `))?.split(' ') ?? [];
  const [, , device, ...mountWords] = fieldsOf('at');
  const numbers = fieldsOf('space').slice(2).map(Number);
  const [size, blocks, free, inodes, inodesLeft] = numbers;
  if (device === undefined || size === undefined || blocks === undefined || free === undefined)
    return { path, why: '`stat` says nothing of it' };
  if (inodes === undefined || inodesLeft === undefined || numbers.some(Number.isNaN) || blocks === 0)
    return { path, why: '`stat` does not tell its size' };
  const mount = mountWords.join(' ');
  const options = lines.find((line) => /^mount \S+ /.test(line) && line.split(' ').slice(2).join(' ') === mount);
  return {
    path,
    device,
    mount,
    options: options?.split(' ')[1],
    bytes: size * blocks,
    freeBytes: size * free,
    inodes: inodes === 0 ? undefined : { all: inodes, free: inodesLeft },
  };
}

type FileSystem = Folder & { paths: string[] };

/** Each once, with the folders that lie on it. */
function fileSystems(folders: Folder[]): FileSystem[] {
  const devices = [...new Set(folders.map(({ device }) => device))];
  return devices.flatMap((device) => {
    const same = folders.filter((folder) => folder.device === device);
    const [first] = same;
    return first === undefined ? [] : [{ ...first, paths: same.map(({ path }) => path) }];
  });
}

/** In percent. */
function leastSpace({ cluster, host: { role } }: LookedAt, { paths }: FileSystem, collects: boolean): number {
  const holdsImages = runsContainers(cluster, role) && paths.includes(runtimeOf(cluster).imageFolder);
  const usual = holdsImages && !collects ? LEAST.uncollected : LEAST.space;
  const { evictionHard } = cluster.kubernetes.kubelet.config;
  const own = Object.entries(evictionHard ?? {}).flatMap(([signal, value]) => {
    const share = /^(\d+(?:\.\d+)?)%$/.exec(String(value))?.[1];
    return /^(nodefs|imagefs)\.available$/.test(signal) && share !== undefined ? [Number(share)] : [];
  });
  if (own.length === 0) return usual;
  // Never later than the eviction itself, and no earlier than by the margin.
  const eviction = Math.max(...own);
  return Math.min(LEAST.uncollected, Math.max(usual, eviction), eviction + MARGIN);
}

function nameOf({ mount, paths }: FileSystem): string {
  const others = paths.filter((path) => path !== mount);
  return others.length === 0 ? mount : `${mount} (with ${listed(others)})`;
}

function isReadOnly({ options }: FileSystem): boolean {
  return options?.split(',').includes('ro') === true;
}

/** What takes no writes does not fill. */
function trendsOf(at: LookedAt, disk: FileSystem, { answeredAt }: Answers): DiskTrend[] {
  const { mount, bytes, freeBytes, inodes } = disk;
  if (isReadOnly(disk)) return [];
  return diskTrends(at, { mount, bytes, freeBytes, inodes, at: answeredAt });
}

function faultsOf(disk: FileSystem, least: number): Fault[] {
  const { options, bytes, freeBytes, inodes } = disk;
  const name = nameOf(disk);
  const freeSpace = (100 * freeBytes) / bytes;
  const freeInodes = inodes === undefined ? undefined : (100 * inodes.free) / inodes.all;
  return [
    ...(options === undefined
      ? [couldNotLook(`whether ${name} takes writes`, 'the kernel does not list its mount')]
      : []),
    ...(isReadOnly(disk) ? [readOnly(name)] : []),
    ...(freeSpace < least
      ? [
          {
            code: 'KW646',
            evidence: `${name} has ${percent(freeSpace)} of ${(bytes / GIB).toFixed(0)} GiB free`,
            hint: FULL,
          },
        ]
      : []),
    ...(freeInodes !== undefined && freeInodes < LEAST.inodes
      ? [{ code: 'KW647', evidence: `${name} has ${percent(freeInodes)} of its inodes free`, hint: NO_INODES }]
      : []),
  ];
}

function readOnly(name: string): Fault {
  return {
    code: 'KW648',
    evidence: `${name} is read-only`,
    hint: 'After errors the kernel takes no more writes: `dmesg` says which. Look after the disk, check the file system while it is not mounted, and mount it again.',
  };
}

const FULL =
  'Find what grows (`du -xh --max-depth=2 MOUNT | sort -h`, `journalctl --disk-usage`, `crictl images`) or give the file system more. Below 10 % (images: 15 %) the kubelet ends pods; etcd stops when it cannot write.';
const NO_INODES =
  'Find what has so many files (`du -x --inodes --max-depth=2 MOUNT | sort -n`). Below 5 % the kubelet ends pods.';

function percent(share: number): string {
  return `${share.toFixed(share < 10 ? 1 : 0)} %`;
}
