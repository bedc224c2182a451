import { createHash } from 'node:crypto';
import { type Cluster, type ClusterHost, hostsOf } from '../../../../cluster/types.js';
import { dropInPath, renderLoadedConfigDropIn } from '../../../../render/loaded-config.js';
import { KEEPALIVED_DROP_IN_PATH, RESTART, renderKeepalivedDropIn } from '../../vrrp/render/drop-in.js';
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
  const peers = hostsOf(cluster, 'control-plane').filter(({ name }) => name !== host.name);
  return [
    text(CHECK_SCRIPT_PATH, renderCheckScript(), 0o755),
    ...(release === undefined ? [] : bundleFiles(release)),
    text(dropInPath('haproxy'), renderLoadedConfigDropIn('haproxy', HAPROXY_CONFIG_PATH, RESTART)),
    text(KEEPALIVED_DROP_IN_PATH, renderKeepalivedDropIn(host, peers)),
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
