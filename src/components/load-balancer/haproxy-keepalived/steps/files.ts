import { createHash } from 'node:crypto';
import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { dropInPath, renderLoadedConfigDropIn } from '../../../../render/loaded-config.js';
import { HAPROXY_CONFIG_PATH, renderHaproxy } from '../render/haproxy.js';
import {
  CHECK_SCRIPT_PATH,
  KEEPALIVED_CONFIG_PATH,
  renderCheckScript,
  renderKeepalived,
} from '../render/keepalived.js';
import {
  ACCOUNT_PATH,
  renderAccount,
  renderHaproxyUnit,
  renderKeepalivedUnit,
  type Service,
  unitPath,
} from '../render/units.js';

/** HAProxy first: without it keepalived starts in FAULT. */
export const SERVICES: readonly Service[] = ['haproxy', 'keepalived'];

export const CONFIG_PATHS: Record<Service, string> = {
  haproxy: HAPROXY_CONFIG_PATH,
  keepalived: KEEPALIVED_CONFIG_PATH,
};

export interface LoadBalancerFile {
  path: string;
  content: string;
  mode: number;
}

/**
 * Debian's keepalived.service does not restart what crashed. systemd gives a service up for good that ended five times
 * within ten seconds, as both do at boot while the network card or its address is not there yet.
 */
const RESTART = { unit: ['StartLimitIntervalSec=0'], service: ['Restart=always', 'RestartSec=1'] };

/**
 * Every file of the load balancer on one control plane, in an order in which each is there before it is needed.
 *
 * @param release directory of the bundle's programs, or undefined where they are the distribution's, with their units
 */
export function loadBalancerFiles(
  cluster: Cluster,
  host: ClusterHost,
  networkInterface: string,
  release: string | undefined,
): LoadBalancerFile[] {
  return [
    text(CHECK_SCRIPT_PATH, renderCheckScript(), 0o755),
    ...(release === undefined ? [] : bundleFiles(release)),
    text(dropInPath('haproxy'), renderLoadedConfigDropIn('haproxy', HAPROXY_CONFIG_PATH, RESTART)),
    text(dropInPath('keepalived'), renderLoadedConfigDropIn('keepalived', KEEPALIVED_CONFIG_PATH, RESTART)),
    text(HAPROXY_CONFIG_PATH, renderHaproxy(cluster)),
    text(KEEPALIVED_CONFIG_PATH, renderKeepalived(cluster, host, networkInterface)),
  ];
}

function bundleFiles(release: string): LoadBalancerFile[] {
  return [
    text(ACCOUNT_PATH, renderAccount()),
    text(unitPath('haproxy'), renderHaproxyUnit(release)),
    text(unitPath('keepalived'), renderKeepalivedUnit(release)),
  ];
}

function text(path: string, content: string, mode = 0o644): LoadBalancerFile {
  return { path, content, mode };
}

export function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
