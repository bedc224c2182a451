import { join } from 'node:path';
import { packageRoot } from '../../../src/package-root.js';

/** Absolute path of a file that is not TypeScript, given relative to `lab/`. */
export function asset(path: string): string {
  return join(packageRoot(), 'lab', path);
}
