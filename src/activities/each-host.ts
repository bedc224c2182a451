import pLimit from 'p-limit';

/**
 * So many hosts are asked at a time. Each that is new costs the worker a handshake and holds a connection: a thousand at once
 * would keep a processor busy for ten seconds and more, and each handshake has its limit.
 */
export const HOSTS_AT_A_TIME = 100;

/**
 * Does something with each host, `HOSTS_AT_A_TIME` of them side by side.
 *
 * @returns what came of each, in the order of the hosts
 * @throws what `act` throws first; those that were not begun by then are still done, so a failure that is no end is for `act`
 */
export function onEachHost<H, T>(hosts: readonly H[], act: (host: H) => Promise<T>): Promise<T[]> {
  const limit = pLimit(HOSTS_AT_A_TIME);
  return Promise.all(hosts.map((host) => limit(() => act(host))));
}
