import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { KubewrightError } from '../errors.js';
import { type Files, findLibraries, LOADER } from './from-modules/debian-files.js';
import { libraryClosure } from './from-modules/elf.js';

/** Programs of Debian's packages that a bundle carries with all that they need. */
export interface Carried {
  /** For people, as the beginning of "… cannot be put into the bundle". */
  title: string;
  /** Directory that Debian's packages are unpacked in, and their files. */
  root: string;
  files: Files;
  /** The programs by their paths in the packages. */
  programs: readonly string[];
  /** Folder of the bundle, absolute. */
  folder: string;
  /** Where a host will have it. */
  home: string;
  /** What to do instead, for the hint of an error. */
  instead: string;
  signal?: AbortSignal | undefined;
}

/**
 * Copies programs, every library that they need and the loader into one folder, so that they run on any distribution and no host
 * needs a mirror for them. The programs name the loader by its path on the host, and look for libraries beside themselves before
 * anywhere else.
 *
 * @throws KW712 a library is not in any of the packages, KW714 patchelf fails or there is no loader
 */
export async function carryPrograms(carried: Carried): Promise<void> {
  const { root, files, folder, home } = carried;
  const programs = carried.programs.map((path) => join(root, files.get(path) ?? path));
  const sources = new Map([...(await findLibraries(root, files))].map(([name, { source }]) => [name, source]));
  const needed = [...(await libraryClosure(programs, sources))].map((name) => [name, sources.get(name) ?? ''] as const);
  const loader = basename([...files.keys()].find((path) => LOADER.test(path)) ?? '');
  const loaderSource = sources.get(loader);
  if (loaderSource === undefined) throw broken(carried, 'libc6 holds no loader', 'no ld-linux');
  await mkdir(folder, { recursive: true });
  const copies = new Map([...needed, [loader, loaderSource]]);
  for (const [name, source] of copies) await copyFile(source, join(folder, name));
  for (const program of programs) {
    const copy = join(folder, basename(program));
    await copyFile(program, copy);
    await patch(carried, copy, `${home}/${loader}`);
  }
}

/**
 * RPATH rather than RUNPATH (--force-rpath): it holds for the libraries of libraries too, and comes before
 * LD_LIBRARY_PATH (ld.so(8)).
 */
async function patch(carried: Carried, program: string, loader: string): Promise<void> {
  const { signal } = carried;
  const args = ['--set-interpreter', loader, '--force-rpath', '--set-rpath', '$ORIGIN', program];
  const cancelSignal = signal ? { cancelSignal: signal } : {};
  const result = await execa('patchelf', args, { reject: false, all: true, ...cancelSignal });
  if (signal?.aborted) throw new KubewrightError('KW703', `Packing ${carried.title} was interrupted.`);
  if (result.failed)
    throw broken(carried, `patchelf cannot change ${program}`, result.all || result.shortMessage || '');
}

function broken({ title, instead }: Carried, what: string, output: string): KubewrightError {
  return new KubewrightError('KW714', `${title} cannot be put into the bundle: ${what}.`, {
    hint: `Debian's packages are not what they were; report it with the output. ${instead}`,
    output,
  });
}

/** Versions of Debian's packages as bundle.json names them. */
export function namedPackages(versions: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(versions).map(([name, version]) => [`debian/${name}`, version]));
}

/** Debian writes [EPOCH:]UPSTREAM[-REVISION]. */
export function upstreamVersion(version: string | undefined): string {
  return /^(?:\d+:)?([0-9][\w.]*)/.exec(version ?? '')?.[1] ?? '0';
}
