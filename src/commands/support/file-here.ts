import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../../errors.js';
import type { ComparedFile } from '../../terminal/status/summary.js';
import { FILE_ARGUMENT } from './file-argument.js';

/**
 * The cluster.yaml of the current directory, where it is that cluster's: who names a cluster has its file at hand more often than not.
 * One that cannot be read may be; that is told and no error, for nobody has asked for it. Its warnings are `validate`'s to tell.
 *
 * @param directory default: the current one
 */
export async function fileHere(cluster: string, directory = process.cwd()): Promise<ComparedFile | undefined> {
  const name = FILE_ARGUMENT[2];
  const path = resolve(directory, name);
  if (!existsSync(path)) return undefined;
  const { loadCluster } = await import('../../cluster/load.js');
  try {
    const loaded = await loadCluster(path);
    return loaded.cluster.name === cluster ? { path: name, cluster: loaded.cluster } : undefined;
  } catch (error) {
    const [first = ''] = messageOf(error).split('\n');
    return { path: name, unread: `the file in this directory cannot be read: ${first}` };
  }
}
