import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { dropInPath, renderLoadedConfigDropIn } from '../../../../render/loaded-config.js';
import { KEEPALIVED_CONFIG_PATH, renderKeepalivedUnit, unitPath } from '../../vrrp/render/units.js';
import { renderDirector } from '../render/keepalived.js';

export interface DirectorFile {
  path: string;
  content: string;
}

/** As on control planes: what ended five times within ten seconds, as at boot without its card, would be given up for good. */
const RESTART = { unit: ['StartLimitIntervalSec=0'], service: ['Restart=always', 'RestartSec=1'] };

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
  const unit = release === undefined ? [] : [{ path: unitPath('keepalived'), content: renderKeepalivedUnit(release) }];
  return [
    ...unit,
    {
      path: dropInPath('keepalived'),
      content: renderLoadedConfigDropIn('keepalived', KEEPALIVED_CONFIG_PATH, RESTART),
    },
    { path: KEEPALIVED_CONFIG_PATH, content: renderDirector(cluster, host, networkInterface) },
  ];
}

/** keepalived's configuration among the files. */
export function configIn(files: DirectorFile[]): string {
  return files.find(({ path }) => path === KEEPALIVED_CONFIG_PATH)?.content ?? '';
}
