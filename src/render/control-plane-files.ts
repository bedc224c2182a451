import { createHash } from 'node:crypto';
import { ENCRYPTION_DIRECTORY } from '../cluster/security/paths.js';
import type { Cluster, HostPathVolume } from '../cluster/types.js';
import { generatedFiles } from './security/index.js';

/** Components whose static pods kubeadm writes on every control plane, by their names in its configuration. */
export const CONTROL_PLANE_SECTIONS = ['apiServer', 'controllerManager', 'scheduler'] as const;
export type ControlPlaneSection = (typeof CONTROL_PLANE_SECTIONS)[number];

/** Begins the names of volumes that Kubewright adds by itself. */
export const OWN_VOLUMES = 'kubewright-';

/** A file that every control plane has before it is one: its content, or the variable of the worker that holds it. */
export type DeliveredFile = { path: string; content: string } | { path: string; env: string };

type Hardened = Pick<Cluster, 'kubernetes' | 'security'>;

/** Every file that a control plane of this cluster gets, in the order of their paths. */
export function deliveredFiles({ kubernetes, security = {} }: Hardened): DeliveredFile[] {
  const own = (kubernetes.files ?? []).map(({ path, content, env }): DeliveredFile => {
    return env === null ? { path, content: content ?? '' } : { path, env };
  });
  return [...own, ...generatedFiles(security)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * The volumes of one static pod: those of cluster.yaml, and the directories of delivered files that it is to see. A directory
 * is mounted, never a file: files are replaced by a rename, and a mounted one would stay the old one.
 */
export function volumesOf(cluster: Hardened, section: ControlPlaneSection): HostPathVolume[] {
  const written = cluster.kubernetes[section].extraVolumes ?? [];
  const seen = (path: string): boolean => written.some(({ mountPath }) => isWithin(path, mountPath));
  const directories = directoriesOf(cluster).filter(
    (path) => readersOf(cluster, path).includes(section) && !seen(path),
  );
  const own = section === 'apiServer' ? apiServerVolumes(cluster).filter(({ mountPath }) => !seen(mountPath)) : [];
  return [...written, ...directories.map(readOnlyDirectory), ...own];
}

/** What the API server sees besides: the key of encryption at rest, which is no delivered file, and the directory of its audit log. */
function apiServerVolumes({ kubernetes, security = {} }: Hardened): HostPathVolume[] {
  const log = kubernetes.apiServer.extraArgs.findLast(({ name }) => name === 'audit-log-path')?.value;
  return [
    ...(security.secretsEncryption === undefined ? [] : [readOnlyDirectory(ENCRYPTION_DIRECTORY)]),
    // "-" is its standard output.
    ...(security.audit === undefined || !log?.startsWith('/')
      ? []
      : [logDirectory(log.slice(0, log.lastIndexOf('/')))]),
  ];
}

function logDirectory(path: string): HostPathVolume {
  return {
    name: `${OWN_VOLUMES}audit`,
    hostPath: path,
    mountPath: path,
    readOnly: false,
    pathType: 'DirectoryOrCreate',
  };
}

/** Directories of delivered files, but those within others of them. */
function directoriesOf(cluster: Hardened): string[] {
  const all = [...new Set(deliveredFiles(cluster).map(({ path }) => path.slice(0, path.lastIndexOf('/'))))];
  return all.filter((path) => !all.some((other) => other !== path && isWithin(path, other)));
}

/**
 * Who sees a directory: the components with a flag that names something in it. Where none does, the API server, for a file that
 * its flags name may well name others.
 */
function readersOf({ kubernetes }: Hardened, directory: string): ControlPlaneSection[] {
  const named = CONTROL_PLANE_SECTIONS.filter((section) =>
    kubernetes[section].extraArgs.some(({ value }) => isWithin(value, directory)),
  );
  return named.length === 0 ? ['apiServer'] : named;
}

export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

/** A name that stays the same whatever else is mounted. */
function readOnlyDirectory(path: string): HostPathVolume {
  const name = `${OWN_VOLUMES}${createHash('sha256').update(path).digest('hex').slice(0, 8)}`;
  return { name, hostPath: path, mountPath: path, readOnly: true, pathType: 'Directory' };
}

/** As kubeadm's configuration has them; nothing where there are none. */
export function kubeadmVolumes(cluster: Hardened, section: ControlPlaneSection): object {
  const extraVolumes = volumesOf(cluster, section).map(({ pathType, ...volume }) =>
    pathType === null ? volume : { ...volume, pathType },
  );
  return extraVolumes.length === 0 ? {} : { extraVolumes };
}
