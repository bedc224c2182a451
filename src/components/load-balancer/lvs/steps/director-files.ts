import { type Cluster, type ClusterHost, hostsOf } from '../../../../cluster/types.js';
import { KEEPALIVED_DROP_IN_PATH, renderKeepalivedDropIn } from '../../vrrp/render/drop-in.js';
import { KEEPALIVED_CONFIG_PATH, renderKeepalivedUnit, unitPath } from '../../vrrp/render/units.js';
import { renderDirector } from '../render/keepalived.js';

export interface DirectorFile {
  path: string;
  content: string;
}

/**
 * Every file of keepalived on a director, the configuration last.
 *
 * @param release directory of the bundle's programs, or undefined where keepalived is the distribution's, with its unit
 */
export function directorFiles(
  cluster: Cluster,
  host: ClusterHost,
  networkInterface: string,
  release: string | undefined,
): DirectorFile[] {
  const peers = hostsOf(cluster, 'director').filter(({ name }) => name !== host.name);
  const unit = release === undefined ? [] : [{ path: unitPath('keepalived'), content: renderKeepalivedUnit(release) }];
  return [
    ...unit,
    { path: KEEPALIVED_DROP_IN_PATH, content: renderKeepalivedDropIn(host, peers) },
    { path: KEEPALIVED_CONFIG_PATH, content: renderDirector(cluster, host, networkInterface) },
  ];
}

/** keepalived's configuration among the files. */
export function configIn(files: DirectorFile[]): string {
  return files.find(({ path }) => path === KEEPALIVED_CONFIG_PATH)?.content ?? '';
}
