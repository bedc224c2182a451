import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

const ROOT = join(import.meta.dirname, '../..');

/** The package as somebody else has it. */
export interface Packed {
  /** A project of somebody else's, in whose `node_modules` it is. */
  outside: string;
  /** The package itself. */
  home: string;
  /** What it was built from. */
  clone: string;
}

/**
 * Builds and packs the clone as it is now, and installs the package into a project of its own.
 *
 * @param directory an empty one, for all of it
 * @param commit what the build is told, which asks git otherwise
 */
export async function installPacked(directory: string, commit: string): Promise<Packed> {
  const clone = join(directory, 'clone');
  const outside = join(directory, 'outside');
  await layOutClone(clone);
  const env = { KUBEWRIGHT_COMMIT: commit };
  const { stdout } = await execa('npm', ['pack', '--pack-destination', directory], { cwd: clone, env });
  const tarball = stdout.trim().split('\n').at(-1) ?? '';
  await mkdir(outside);
  await writeFile(join(outside, 'package.json'), '{ "type": "module" }');
  // Without install scripts: what they compile is faster, and nothing that is needed.
  const quick = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await execa('npm', ['install', ...quick, join(directory, tarball)], { cwd: outside });
  return { outside, home: join(outside, 'node_modules/kubewright'), clone };
}

/** Not yet built: nothing of an earlier build gets into the package. */
async function layOutClone(clone: string): Promise<void> {
  const left = new Set(['node_modules', 'dist', '.git'].map((name) => join(ROOT, name)));
  await cp(ROOT, clone, { recursive: true, filter: (source) => !left.has(source) });
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
}
