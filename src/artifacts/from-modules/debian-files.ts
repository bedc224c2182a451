import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileContent, type TarEntry } from '../oci/tar.js';
import { libraryClosure } from './elf.js';

/** Path in the image (merged /usr) → path below the unpacked root. */
export type Files = Map<string, string>;

/** A loader of programs, which is named by its path and not found like a library. */
export const LOADER = /^usr\/lib(64)?\/ld-linux[^/]*$/;

/** All files of unpacked packages, as an image has them: with one tree below /usr. */
export async function listFiles(root: string): Promise<Files> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  // Packages of bookworm still name /bin, /sbin and /lib; the images have one tree below /usr and links.
  return new Map(paths.map((path) => [path.replace(/^(bin|sbin|lib|lib64)\//, 'usr/$1/'), path]));
}

/**
 * Programs and plugins with every shared library that they need, and the loader.
 *
 * @param programs paths in the image
 * @throws KW712 when a library is in none of the packages
 */
export async function programEntries(root: string, files: Files, programs: string[]): Promise<TarEntry[]> {
  const libraries = await findLibraries(root, files);
  const needed = await libraryClosure(
    programs.map((path) => join(root, files.get(path) ?? path)),
    new Map([...libraries].map(([name, { source }]) => [name, source])),
  );
  const wanted = [...libraries].filter(([name]) => needed.has(name));
  const loaders = [...files.keys()].filter((path) => LOADER.test(path));
  return [
    ...(await Promise.all(programs.map((path) => copy(root, files, path)))),
    // Under its soname, for that is what the loader looks for; the versioned name behind it is nobody's business.
    ...(await Promise.all(
      wanted.map(async ([name, { folder, source }]): Promise<TarEntry> => {
        return { path: `${folder}/${name}`, type: 'file', mode: 0o755, content: await fileContent(source) };
      }),
    )),
    ...(await Promise.all(loaders.map((path) => copy(root, files, path)))),
  ];
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

/** The file at the end of links that lead within one directory tree. */
async function followLinks(path: string): Promise<string> {
  const isLink = (await lstat(path)).isSymbolicLink();
  return isLink ? followLinks(join(path, '..', await readlink(path))) : path;
}

/** One file or link of a package, at the same place in the image. */
export async function copy(root: string, files: Files, path: string): Promise<TarEntry> {
  const source = join(root, files.get(path) ?? path);
  const { mode } = await lstat(source);
  if ((mode & 0o170000) === 0o120000) return symlink(path, await readlink(source));
  return { path, type: 'file', mode: mode & 0o777, content: await fileContent(source) };
}

export function symlink(path: string, target: string): TarEntry {
  return { path, type: 'symlink', target };
}

export function text(path: string, lines: string[]): TarEntry {
  return { path, type: 'file', content: Buffer.from(`${lines.join('\n')}\n`) };
}
