import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Path with a merged /usr → path below the directory that packages were unpacked into. */
export type Files = Map<string, string>;

/** What packages brought, directories left out. */
export async function listFiles(root: string): Promise<Files> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  // Packages of bookworm still name /bin, /sbin and /lib; what is made of them has one tree below /usr.
  return new Map(paths.map((path) => [path.replace(/^(bin|sbin|lib|lib64)\//, 'usr/$1/'), path]));
}

/** A shared library: the folder that it belongs to, and the real file behind the links. */
export interface Library {
  folder: string;
  source: string;
}

/** Shared libraries of unpacked packages by their sonames. */
export async function findLibraries(root: string, files: Files): Promise<Map<string, Library>> {
  const libraries = new Map<string, Library>();
  for (const [path, source] of files) {
    const folder = /^(usr\/lib\/[^/]+-linux-gnu[^/]*)\/[^/]+\.so[^/]*$/.exec(path)?.[1];
    if (folder) libraries.set(basename(path), { folder, source: await followLinks(join(root, source)) });
  }
  return libraries;
}

/** A loader of programs, which is named by its path and not found like a library. */
export const LOADER = /^usr\/lib(64)?\/ld-linux[^/]*$/;

/** The file at the end of links that lead within one directory tree. */
export async function followLinks(path: string): Promise<string> {
  const isLink = (await lstat(path)).isSymbolicLink();
  return isLink ? followLinks(join(path, '..', await readlink(path))) : path;
}
