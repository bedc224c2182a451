import { dropInPath } from '../../../render/loaded-config.js';
import { releaseDirectory } from '../../../render/program-paths.js';

/** It sorts behind what packages bring (`10-crio.conf`): of two drop-ins that set a key the later one wins. */
export const CRIO_CONFIG_PATH = '/etc/crio/crio.conf.d/99-kubewright.conf';
export const CRIO_SOCKET_PATH = '/var/run/crio/crio.sock';
export const CRIO_SOCKET = `unix://${CRIO_SOCKET_PATH}`;
/** In /etc it goes before the one of a package. */
export const CRIO_UNIT_PATH = '/etc/systemd/system/crio.service';
export const CRIO_DROP_IN_PATH = dropInPath('crio');

/** Which images are trusted, where the host itself says nothing of it in `SYSTEM_POLICY_PATH`. */
export const CRIO_POLICY_PATH = '/etc/crio/policy.json';
export const SYSTEM_POLICY_PATH = '/etc/containers/policy.json';

/** Where images and containers lie, and what belongs to them until the next boot: of CRI-O, and of who writes images beside it. */
export const STORAGE_FOLDER = '/var/lib/containers/storage';
export const STORAGE_RUN_FOLDER = '/run/containers/storage';
export const STORAGE_DRIVER = 'overlay';

/** Programs of a bundle's CRI-O: itself, what pins namespaces, what watches a container, and what makes one. */
export const CRIO_PROGRAMS = ['crio', 'pinns', 'conmon', 'crun'] as const;

/** Where the programs of one release lie on a host. */
export function crioDirectory(version: string): string {
  return releaseDirectory('cri-o', version);
}

/** The same of skopeo, with its libraries beside it. */
export function skopeoDirectory(release: string): string {
  return releaseDirectory('skopeo', release);
}

/** Version of a bundle's CRI-O by the path of its program; undefined for one of somebody else. */
export function versionOfProgram(path: string): string | undefined {
  const release = /^(.+)\/crio$/.exec(path)?.[1];
  const version = release?.slice(release.lastIndexOf('/') + 1);
  return version !== undefined && release === crioDirectory(version) ? version : undefined;
}
