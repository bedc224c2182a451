import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { execa } from 'execa';
import { KubewrightError } from '../../errors.js';
import type { Log } from '../cache/cache.js';
import { type Architecture, machineArchitecture } from '../recipes.js';
import { cCompiler } from './build.js';

/** A program (a name on PATH) or a file (an absolute path) that a recipe uses, and the Debian packages that have it. */
export interface Tool {
  path: string;
  packages: string[];
}

/** What building a bundle from modules runs besides Go. */
export function bundleTools(architecture: Architecture): Tool[] {
  const foreign = architecture !== machineArchitecture();
  const triplet = architecture === 'arm64' ? 'aarch64-linux-gnu' : 'x86-64-linux-gnu';
  const compiler = foreign ? [`gcc-${triplet}`, `libc6-dev-${architecture}-cross`] : ['gcc', 'libc6-dev'];
  return [
    { path: cCompiler(architecture), packages: compiler },
    { path: 'readelf', packages: ['binutils'] },
    { path: 'pkg-config', packages: ['pkgconf'] },
    { path: 'dpkg-deb', packages: ['dpkg'] },
    { path: 'apt-get', packages: ['apt'] },
    { path: 'zstd', packages: ['zstd'] },
  ];
}

/**
 * Finds the tools, and installs what is missing where that is possible and ours to do (root, apt).
 *
 * @throws KW704 with what is missing and the command that brings it
 */
export async function ensureTools(tools: Tool[], log: Log): Promise<void> {
  const missing = await findMissing(tools);
  if (missing.length === 0) return;
  const packages = missing.flatMap((tool) => tool.packages);
  const install = `apt-get install --no-install-recommends -y ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && (await isThere('apt-get'))) {
    log(`installing ${packages.join(', ')}`);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const wait = ['-q', '-o', 'DPkg::Lock::Timeout=120'];
    await execa('apt-get', [...wait, 'update'], { env, reject: false });
    await execa('apt-get', [...wait, ...install.split(' ').slice(1)], { env, reject: false });
  }
  const still = await findMissing(missing);
  if (still.length === 0) return;
  throw new KubewrightError('KW704', `Missing on this machine: ${still.map((tool) => tool.path).join(', ')}.`, {
    hint: `On Debian or Ubuntu: ${install}`,
  });
}

/**
 * @throws KW705 when there is no Go, or one that does not know `tool` lines nor how to fetch a newer Go
 */
export async function requireGo(): Promise<void> {
  const version = await goVersion();
  // 1.21 fetches the toolchain that a go.mod asks for by itself; earlier ones cannot even read such a go.mod.
  if (version !== undefined && version >= 21) return;
  const found = version === undefined ? 'Go is not installed' : `Go 1.${version} is too old`;
  throw new KubewrightError('KW705', `${found}, and building from modules needs it.`, {
    hint: 'Install Go 1.26 or newer and have `go` on PATH, or use --from official where dl.k8s.io can be reached.',
  });
}

/** The minor version of the Go on PATH, or undefined when there is none. */
export async function goVersion(): Promise<number | undefined> {
  const { stdout } = await execa('go', ['env', 'GOVERSION'], { reject: false, cwd: '/' });
  const minor = /^go1\.(\d+)/.exec(stdout ?? '')?.[1];
  return minor === undefined ? undefined : Number(minor);
}

async function findMissing(tools: Tool[]): Promise<Tool[]> {
  const there = await Promise.all(tools.map((tool) => isThere(tool.path)));
  return tools.filter((_, index) => !there[index]);
}

/** Whether a program is on PATH, or a file there. */
export async function isThere(path: string): Promise<boolean> {
  if (isAbsolute(path)) return existsSync(path);
  const { exitCode } = await execa('sh', ['-c', 'command -v "$1"', 'sh', path], { reject: false });
  return exitCode === 0;
}
