/** Adds the virtual IP to a control plane, and takes it away. */
export const REAL_SERVER_SCRIPT_PATH = '/usr/local/lib/kubewright/real-server';

/** Name of its unit, without `.service`. */
export const REAL_SERVER = 'kubewright-real-server';

export const REAL_SERVER_UNIT_PATH = `/etc/systemd/system/${REAL_SERVER}.service`;

/** What the kernel knows of virtual and real servers, on a director. */
export const TABLE_PATH = '/proc/net/ip_vs';

/** UDP port of IPVS's own daemon, which tells other directors of connections (ip_vs_sync.c: IP_VS_SYNC_PORT). */
export const SYNC_PORT = 8848;
