import { createReadStream, createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ensureArtifact } from '../../src/artifacts/cache/cache.js';
import { type Bundle, file, type LocatedFile } from '../../src/bundle/bundle.js';
import { sha256OfFile } from '../../src/bundle/digest.js';

/**
 * A program of a bundle to run on this machine, such as `bin/kubectl`: where it lies packed, it is unpacked into the cache
 * once.
 *
 * @returns its path
 * @throws KW733 when the bundle has no such program, Error when it does not unpack to what bundle.json says
 */
export async function programOf(bundle: Bundle, path: string): Promise<string> {
  const program = file(bundle, path);
  if (program.packed === undefined) return program.absolutePath;
  const name = basename(path);
  const key = { kind: 'programs', version: `${name}-${bundle.architecture}`, recipe: program.sha256.slice(0, 12) };
  return join(await ensureArtifact(key, (directory) => unpack(program, join(directory, name))), name);
}

/** Unpacks a packed file of a bundle to a path of its own. @throws Error when that is not what bundle.json says */
export async function unpack({ absolutePath, sha256, mode }: LocatedFile, target: string): Promise<void> {
  await pipeline(createReadStream(absolutePath), createGunzip(), createWriteStream(target, { mode }));
  if ((await sha256OfFile(target)) !== sha256) throw new Error(`${absolutePath} does not hold what bundle.json says`);
}
