import { existsSync } from 'node:fs';
import type { Cluster } from '../../cluster/types.js';
import type { Engine } from '../../engine/index.js';
import { STDIN } from './file-argument.js';

/** Whether an argument names a cluster. Names are DNS labels; a file of such a name is meant where there is one. */
export function isClusterName(given: string): boolean {
  return given !== STDIN && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(given) && !existsSync(given);
}

/**
 * The cluster as the latest run that changed it had it: the hosts say in the preflight whether it is the whole of it.
 *
 * @throws KubewrightError KW523 when this Temporal server knows no such cluster
 */
export async function lastCluster(engine: Engine, name: string): Promise<Cluster> {
  const { readLatestInput } = await import('../../engine/index.js');
  return (await readLatestInput(engine, name)).cluster;
}
