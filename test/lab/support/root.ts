import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository's root: found upwards, because this file is run from the source and from dist/. */
function findRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'bin', 'kubewright.mjs'))) {
    if (directory === dirname(directory)) throw new Error(`no bin/kubewright.mjs above ${import.meta.dirname}`);
    directory = dirname(directory);
  }
  return directory;
}

export const ROOT = findRoot();

/** The program as a user has it. */
export const PROGRAM = join(ROOT, 'bin', 'kubewright.mjs');
