import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import type { PodFiles } from '../../pods/goal.js';
import { manifestPath } from '../../pods/places.js';
import { renderHaproxyConfig } from '../../vrrp/render/haproxy.js';
import { renderKeepalivedConfig } from '../../vrrp/render/keepalived.js';
import { CHECK_SCRIPT_PATH, CONFIG_PATHS, type PodName } from '../places.js';
import { renderCheckScript } from '../render/check-script.js';
import { renderHaproxyPod, renderKeepalivedPod } from '../render/pods.js';
import type { BalancerImages } from '../settings.js';

/**
 * In a container the limit of open files may be as good as none, and HAProxy would make room for as many connections; with
 * less than two for each it does not start. It starts without rights, so it has none to give up.
 */
const HAPROXY_GLOBALS = ['maxconn 8000'];

/** What one control plane has for its static pods. @param card network card that carries the virtual IP */
export function balancerFiles(
  cluster: Cluster,
  host: ClusterHost,
  card: string,
  images: BalancerImages,
): PodFiles<PodName> {
  const check = renderCheckScript();
  const haproxy = renderHaproxyConfig(cluster, { globals: HAPROXY_GLOBALS, checkScript: CHECK_SCRIPT_PATH });
  const keepalived = renderKeepalivedConfig(cluster, host, card, CHECK_SCRIPT_PATH);
  const pods = {
    haproxy: renderHaproxyPod(cluster, images.haproxy, [haproxy]),
    keepalived: renderKeepalivedPod(images.keepalived, [keepalived, check]),
  };
  return {
    files: [
      { path: CHECK_SCRIPT_PATH, content: check, mode: 0o755 },
      { path: CONFIG_PATHS.haproxy, content: haproxy, mode: 0o644 },
      { path: CONFIG_PATHS.keepalived, content: keepalived, mode: 0o644 },
      { path: manifestPath('haproxy'), content: pods.haproxy.manifest, mode: 0o644 },
      { path: manifestPath('keepalived'), content: pods.keepalived.manifest, mode: 0o644 },
    ],
    manifests: { haproxy: pods.haproxy.manifest, keepalived: pods.keepalived.manifest },
    digests: { haproxy: pods.haproxy.digest, keepalived: pods.keepalived.digest },
  };
}
