// Removes from dist/ what was compiled of a file that is no longer there: it would run in nobody's clone but this one, and
// would be packed. Run by `npm run build`, behind tsc.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './setup.mjs';

/** Folders below dist/ that tsc writes. */
const COMPILED = ['src', 'lab', 'bench', 'test'];

/** Files below `root`/dist, relative to it, whose TypeScript is gone. */
export function orphans(root) {
  return COMPILED.filter((folder) => existsSync(join(root, 'dist', folder)))
    .flatMap((folder) => filesBelow(join(root, 'dist'), folder))
    .filter((file) => {
      const source = file.replace(/\.(?:d\.)?(c?)[jt]s(?:\.map)?$/, '.$1ts');
      // What the page is drawn by is written with markup in it.
      return source !== file && !existsSync(join(root, source)) && !existsSync(join(root, `${source}x`));
    });
}

function filesBelow(base, folder) {
  return readdirSync(join(base, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(base, path) : [path];
  });
}

/** Removes them, and the folders that are empty then. */
export function prune(root) {
  for (const file of orphans(root)) {
    rmSync(join(root, 'dist', file));
    for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
      if (readdirSync(join(root, 'dist', folder)).length > 0) break;
      rmdirSync(join(root, 'dist', folder));
    }
  }
}

if (process.argv[1] === import.meta.filename) prune(ROOT);
