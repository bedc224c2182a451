import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../package-root.js';

/** A file of the page. */
export interface PageFile {
  type: string;
  body: Buffer;
}

/** Where the page's files are. */
export interface PageFolders {
  /** HTML, style and picture, as they are written. */
  written: string;
  /** What was compiled of its scripts. */
  compiled: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Those of the package. */
export function pageFolders(): PageFolders {
  const root = packageRoot();
  return { written: join(root, 'src/dashboard/page'), compiled: join(root, 'dist/src/dashboard/page') };
}

/**
 * All files of the page by their paths, read once: what is not among them cannot be asked for, whatever a path looks like.
 *
 * @throws where the package is not whole
 */
export async function readPageFiles(folders: PageFolders = pageFolders()): Promise<Map<string, PageFile>> {
  const files = new Map<string, PageFile>();
  const add = async (path: string, file: string): Promise<void> => {
    files.set(path, { type: TYPES[extname(file)] ?? '', body: await readFile(file) });
  };
  await add('/', join(folders.written, 'index.html'));
  for (const name of ['style.css', 'icon.svg']) await add(`/${name}`, join(folders.written, name));
  for (const name of await readdir(folders.compiled)) {
    if (name.endsWith('.js')) await add(`/page/${name}`, join(folders.compiled, name));
  }
  await add('/vendor/preact.js', fileURLToPath(import.meta.resolve('preact')));
  return files;
}
