import { dropInPath } from '../../../render/loaded-config.js';
import { releaseDirectory } from '../../../render/program-paths.js';

export const CONTAINERD_CONFIG_PATH = '/etc/containerd/config.toml';
export const CONTAINERD_SOCKET = 'unix:///run/containerd/containerd.sock';
/** The unit of the bundle's containerd. In /etc it goes before the one of a package. */
export const CONTAINERD_UNIT_PATH = '/etc/systemd/system/containerd.service';
export const CONTAINERD_DROP_IN_PATH = dropInPath('containerd');

/** A release of containerd and one of runc. */
export interface RuntimeVersions {
  containerd: string;
  runc: string;
}

/** Where the programs of a bundle's runtime lie on a host. */
export function runtimeDirectories({ containerd, runc }: RuntimeVersions): { containerd: string; runc: string } {
  return { containerd: releaseDirectory('containerd', containerd), runc: releaseDirectory('runc', runc) };
}

/** The containerd of a bundle's release. */
export function programOf(versions: RuntimeVersions): string {
  return `${runtimeDirectories(versions).containerd}/containerd`;
}

/** Version of a bundle's containerd by the path of its program; undefined for one of somebody else. */
export function versionOfProgram(path: string): string | undefined {
  const release = /^(.+)\/containerd$/.exec(path)?.[1];
  const version = release?.slice(release.lastIndexOf('/') + 1);
  return version !== undefined && release === releaseDirectory('containerd', version) ? version : undefined;
}
