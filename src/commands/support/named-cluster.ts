import { existsSync } from 'node:fs';
import { STDIN } from './file-argument.js';

/** Whether an argument names a cluster. Names are DNS labels; a file of such a name is meant where there is one. */
export function isClusterName(given: string): boolean {
  return given !== STDIN && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(given) && !existsSync(given);
}
