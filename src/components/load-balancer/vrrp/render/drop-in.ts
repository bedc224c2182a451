import type { ClusterHost } from '../../../../cluster/types.js';
import { dropInPath, renderLoadedConfigDropIn } from '../../../../render/loaded-config.js';
import { KEEPALIVED_CONFIG_PATH } from './units.js';

export const KEEPALIVED_DROP_IN_PATH = dropInPath('keepalived');

/**
 * Debian's keepalived.service does not restart what crashed. systemd gives a service up for good that ended five times
 * within ten seconds, as services do at boot while the network card or its address is not there yet.
 */
export const RESTART = { unit: ['StartLimitIntervalSec=0'], service: ['Restart=always', 'RestartSec=1'] };

/** In tenths of a second. */
const PATIENCE = {
  /** Without its card keepalived could do nothing anyhow. */
  card: 300,
  /** A peer that is there answers within a few milliseconds. */
  peers: 30,
};

/**
 * Drop-in of keepalived's unit, whoever wrote the unit.
 *
 * @param peers the other hosts that may have the virtual IP
 */
export function renderKeepalivedDropIn(host: ClusterHost, peers: ClusterHost[]): string {
  const first = peers.length === 0 ? [] : [`ExecStartPre=${meet(host, peers)}`];
  const service = [...first, ...RESTART.service];
  return renderLoadedConfigDropIn('keepalived', KEEPALIVED_CONFIG_PATH, { ...RESTART, service });
}

/**
 * Makes this host known to its peers before it takes part. A holder that has advertised to a host without power no longer
 * knows its hardware address, and its kernel asks for it once a second; a host that returns takes the virtual IP after
 * three advertisements that it did not hear, which is 0.6 s. So it would take it from a holder that is well, and with
 * `nopreempt` keep it. A host that asks for its peers' addresses tells them its own by that (RFC 826).
 *
 * It waits for its card first: at boot keepalived is often earlier, whatever network-online.target says, and version 2.2.7
 * ended there. Its failure stops nothing.
 *
 * Not keepalived's `vrrp_startup_delay`: in 2.2.7 it keeps a host from preempting, and a reload before it has passed makes
 * it deaf (acassen/keepalived#2098, #2418).
 */
function meet({ address }: ClusterHost, peers: ClusterHost[]): string {
  const hasCard = `read -r _ card _ < <(ip -o -4 address show to ${address}) && ip -o link show dev "$$card" | grep -q LOWER_UP`;
  const ask = `for peer in ${peers.map((peer) => peer.address).join(' ')}; do echo >/dev/udp/$$peer/9; done`;
  const known = peers.map((peer) => `ip neighbour show to ${peer.address} | grep -q lladdr`).join(' && ');
  const script = `{ ${within(PATIENCE.card, hasCard)}; ${within(PATIENCE.peers, `${ask}; ${known}`)}; } 2>/dev/null`;
  return `-/bin/bash -c '${script}'`;
}

/** Bash that repeats what succeeds in the end, ten times a second. */
function within(tenths: number, commands: string): string {
  return `for try in {1..${tenths}}; do ${commands} && break; sleep 0.1; done`;
}
