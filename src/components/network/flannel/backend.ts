import type { Cluster } from '../../../cluster/types.js';
import type { Way } from '../../flows.js';
import type { KernelFeature } from '../../types.js';
import { settingsOf } from './settings.js';

interface Backend {
  feature: KernelFeature;
  /** Key of the port in net-conf.json. */
  key: string;
  /** UDP port where the file sets none. */
  port: number;
}

/** flannel's backends with a port of their own, the first is the default (flannel's Documentation/backends.md). */
const BACKENDS: Readonly<Record<string, Backend>> = {
  vxlan: {
    feature: { module: 'vxlan', evidence: 'module', purpose: "flannel's vxlan backend" },
    key: 'Port',
    port: 8472,
  },
  wireguard: {
    feature: { module: 'wireguard', evidence: 'module', purpose: "flannel's wireguard backend" },
    key: 'ListenPort',
    port: 51820,
  },
  udp: {
    feature: { module: 'tun', evidence: '/dev/net/tun', purpose: "flannel's udp backend" },
    key: 'Port',
    port: 8285,
  },
};

/** As flannel reads it, which does not care for capitals. */
export function typeOfBackend(cluster: Pick<Cluster, 'network'>): string {
  return String(settingsOf(cluster).backend.Type).toLowerCase();
}

/**
 * How pods of different hosts reach each other; undefined for a backend without a port of its own (host-gw routes plain
 * packets of pods) or one that is not known here.
 */
export function wayOfNetwork(cluster: Pick<Cluster, 'network'>): Extract<Way, { protocol: 'udp' }> | undefined {
  const type = typeOfBackend(cluster);
  const backend = BACKENDS[type];
  if (backend === undefined) return undefined;
  const written = settingsOf(cluster).backend[backend.key];
  const port = Number.isInteger(Number(written ?? Number.NaN)) ? Number(written) : backend.port;
  return { protocol: 'udp', port, use: `pod network, ${type}` };
}

/** What the backend needs of the kernel; undefined for one that needs nothing, or that is not known here. */
export function featureOfBackend(cluster: Pick<Cluster, 'network'>): KernelFeature | undefined {
  return BACKENDS[String(settingsOf(cluster).backend.Type ?? 'vxlan').toLowerCase()]?.feature;
}
