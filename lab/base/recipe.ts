import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/**
 * Short hash of everything that decides what an image holds: the packages' names, the scripts, the files.
 *
 * @param base folder of scripts and files; sources of programs in it do not count
 */
export async function recipeHash(packages: readonly string[], base: string): Promise<string> {
  const hash = createHash('sha256').update(packages.join('\n'));
  const entries = await readdir(base, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/\.(ts|js|map)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of paths) hash.update(`\0${relative(base, path)}\0`).update(await readFile(path));
  return hash.digest('hex').slice(0, 12);
}
