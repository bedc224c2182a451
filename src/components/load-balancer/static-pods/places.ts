import { DIRECTORY } from '../pods/places.js';

/** The static pods, by their names in the cluster (without the node's) and of the programs in them. HAProxy first. */
export const PODS = ['haproxy', 'keepalived'] as const;
export type PodName = (typeof PODS)[number];

export const CONFIG_PATHS: Record<PodName, string> = {
  haproxy: `${DIRECTORY}/haproxy.cfg`,
  keepalived: `${DIRECTORY}/keepalived.conf`,
};

export const CHECK_SCRIPT_PATH = `${DIRECTORY}/check-haproxy`;
