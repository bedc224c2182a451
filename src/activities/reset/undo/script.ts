import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { OWNER_PATH } from '../../../render/owner.js';
import { FENCE_GUARD } from '../../fence.js';
import { filesScript } from './files.js';
import { networkScript } from './network.js';
import { NOTE_ACCOUNTS, systemScript } from './system.js';
import { restoreUnitsScript, stopScript } from './units.js';
import { WORDS } from './words.js';

/** Exit code where the host turns out to be another cluster's, or bears no record. */
const NOT_OURS = 66;

/**
 * Bash that undoes what a cluster made of a host, for a durable command. It looks once more, in the same script, that the host is this
 * cluster's; it may be interrupted and repeated at any point. The record of ownership and what the host was before stay to the end.
 */
export function undoScript(cluster: Cluster, host: ClusterHost): string {
  return `${FENCE_GUARD}${WORDS}grep -qF ${quote(`"cluster": "${cluster.name}"`)} ${OWNER_PATH} || { say 'nothing was changed: the host does not say any more that it is of this cluster'; exit ${NOT_OURS}; }
${NOTE_ACCOUNTS}${stopScript(cluster)}${networkScript(cluster)}${filesScript(cluster)}${restoreUnitsScript(cluster)}${systemScript(cluster, host)}`;
}
