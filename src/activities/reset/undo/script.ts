import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { FENCE_GUARD } from '../../fence.js';
import { requireRecord } from '../ours.js';
import { filesScript } from './files.js';
import { networkScript } from './network.js';
import { NOTE_ACCOUNTS, systemScript } from './system.js';
import { restoreUnitsScript, stopScript } from './units.js';
import { WORDS } from './words.js';

/**
 * Bash that undoes what a cluster made of a host, for a durable command. It looks once more, in the same script, that the host still bears
 * the record that was judged; it may be interrupted and repeated at any point. The record of ownership and what the host was before stay to
 * the end.
 *
 * @param record by which the host is this cluster's, as `recordOfOurs` gives it
 */
export function undoScript(cluster: Cluster, host: ClusterHost, record: string): string {
  return `${FENCE_GUARD}${WORDS}${requireRecord(record)}${NOTE_ACCOUNTS}${stopScript(cluster)}${networkScript(cluster)}${filesScript(cluster)}${restoreUnitsScript(cluster)}${systemScript(cluster, host)}`;
}
