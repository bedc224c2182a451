import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root: this module may run from its source or from dist/. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** Absolute path of a file that is not TypeScript, given relative to `lab/`. */
export function asset(path: string): string {
  return join(packageRoot(), 'lab', path);
}
