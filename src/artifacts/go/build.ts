import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { KubewrightError } from '../../errors.js';
import { cacheDirectory, moveFile, requireFreeSpace, withScratch } from '../cache/cache.js';
import { type Architecture, type GoRecipe, machineArchitecture, moduleFile } from '../recipes.js';

/** How many lines of a failed build a person gets to see. */
const OUTPUT_LINES = 15;

/** Go's caches for one run, and the environment that points to them. */
export interface GoScratch {
  directory: string;
  env: Record<string, string>;
}

/**
 * Lends Go's caches (modules, objects, temporary files) to `use` and throws them away after it, also when it failed:
 * they grow to many times of what is kept. All builds of one run share them, for most of the modules are the same.
 *
 * `$KUBEWRIGHT_SCRATCH` names a directory to use and to keep instead, for those who work on the recipes.
 *
 * @param gigabytes free space to ask for, in units of 10^9 bytes
 * @throws KW701 when there is less
 */
export async function withGoScratch<T>(
  gigabytes: number,
  what: string,
  use: (scratch: GoScratch) => Promise<T>,
): Promise<T> {
  const kept = process.env.KUBEWRIGHT_SCRATCH;
  await requireFreeSpace(kept ?? cacheDirectory(), gigabytes, what);
  const lend = async (directory: string): Promise<T> => use({ directory, env: await goEnvironment(directory) });
  return kept ? await lend(kept) : await withScratch('go', lend);
}

async function goEnvironment(directory: string): Promise<Record<string, string>> {
  const folders = {
    GOMODCACHE: join(directory, 'mod'),
    GOCACHE: join(directory, 'build'),
    GOTMPDIR: join(directory, 'tmp'),
  };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
  // -modcacherw: module files are read-only otherwise and only root could throw them away.
  return { ...folders, GOWORK: 'off', GOFLAGS: '-buildvcs=false -modcacherw -mod=readonly' };
}

export interface GoBuildOptions {
  architecture: Architecture;
  scratch: GoScratch;
  /** Directory below which `libraries` of a recipe were unpacked, where it has some. */
  sysroot?: string;
  signal?: AbortSignal | undefined;
}

/** The command that builds a recipe, as it is run: pure, so that a cross build can be checked without one. */
export function goBuildCommand(
  recipe: GoRecipe,
  architecture: Architecture,
  output: string,
): { command: string; args: string[]; cwd: string; env: Record<string, string> } {
  const ldflags = ['-s', '-w', ...(recipe.ldflags ?? [])].join(' ');
  const verb = recipe.tests === undefined ? ['build'] : ['test', '-c'];
  const tags = recipe.tags === undefined ? [] : [`-tags=${recipe.tags.join(',')}`];
  return {
    command: 'go',
    args: [...verb, '-trimpath', ...tags, `-ldflags=${ldflags}`, '-o', `${output}/`, recipe.tests ?? 'tool'],
    cwd: moduleFile(recipe),
    env: {
      GOOS: 'linux',
      GOARCH: architecture,
      CGO_ENABLED: recipe.cgo?.includes(architecture) ? '1' : '0',
      ...(recipe.cgo?.includes(architecture) ? { CC: cCompiler(architecture) } : {}),
    },
  };
}

/** Has pkg-config find the libraries that were unpacked there, and no others. */
function pkgConfigEnvironment(sysroot: string, architecture: Architecture): Record<string, string> {
  const triplet = architecture === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const folders = [`usr/lib/${triplet}/pkgconfig`, 'usr/share/pkgconfig'].map((folder) => join(sysroot, folder));
  return { PKG_CONFIG_LIBDIR: folders.join(':'), PKG_CONFIG_SYSROOT_DIR: sysroot };
}

/** gcc for an architecture under its Debian name: `gcc` at home, `aarch64-linux-gnu-gcc` and the like elsewhere. */
export function cCompiler(architecture: Architecture): string {
  if (architecture === machineArchitecture()) return 'gcc';
  return architecture === 'arm64' ? 'aarch64-linux-gnu-gcc' : 'x86_64-linux-gnu-gcc';
}

/**
 * Builds a recipe's binaries into `directory` under their final names.
 *
 * @throws KW710 with the last lines of what Go said
 */
export async function buildGo(recipe: GoRecipe, directory: string, options: GoBuildOptions): Promise<void> {
  const output = join(options.scratch.directory, `out-${recipe.module}-${options.architecture}`);
  const { command, args, cwd, env } = goBuildCommand(recipe, options.architecture, output);
  await mkdir(output, { recursive: true });
  const libraries = options.sysroot === undefined ? {} : pkgConfigEnvironment(options.sysroot, options.architecture);
  await run(recipe, command, args, cwd, { ...options.scratch.env, ...env, ...libraries }, options.signal);
  for (const [built, wanted] of Object.entries(recipe.binaries)) {
    await moveFile(join(output, built), join(directory, wanted));
  }
}

/** Fetches the modules that a recipe's build will need, and no others, so that the network works beside the compiler. */
export async function prefetchModules(recipe: GoRecipe, options: GoBuildOptions): Promise<void> {
  const { cwd, env } = goBuildCommand(recipe, options.architecture, '');
  const args = ['list', '-deps', '-f', '{{""}}', 'tool'];
  await run(recipe, 'go', args, cwd, { ...options.scratch.env, ...env }, options.signal);
}

/** Where a module's files lie after its build, for what is in them besides Go (manifests, C sources). */
export async function moduleDirectory(recipe: GoRecipe, path: string, options: GoBuildOptions): Promise<string> {
  const args = ['list', '-m', '-f', '{{.Dir}}', path];
  const cwd = moduleFile(recipe);
  return (await run(recipe, 'go', args, cwd, options.scratch.env, options.signal)).trim();
}

async function run(
  recipe: GoRecipe,
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<string> {
  // Go stops its compilers on SIGINT; on SIGTERM it dies and they go on.
  const cancel = signal ? ({ cancelSignal: signal, killSignal: 'SIGINT' } as const) : {};
  const result = await execa(command, args, { cwd, env, reject: false, ...cancel });
  if (signal?.aborted) throw new KubewrightError('KW703', `Building ${recipe.title} was interrupted.`);
  if (!result.failed) return result.stdout;
  const said = result.stderr || result.originalMessage || result.shortMessage || '';
  const lines = said.split('\n');
  const output = lines.filter((line) => !line.startsWith('go: downloading ')).slice(-OUTPUT_LINES);
  throw new KubewrightError('KW710', `Building ${recipe.title} with Go failed: ${output.at(-1) ?? 'no output'}`, {
    hint: hintFor(output.join('\n'), recipe),
    output: output.join('\n'),
    cause: result,
  });
}

function hintFor(output: string, recipe: GoRecipe): string {
  if (/no space left on device/.test(output)) return 'Free some disk space, or set KUBEWRIGHT_CACHE to a larger disk.';
  if (/dial tcp|no such host|i\/o timeout|connection re|TLS handshake|EOF$/.test(output)) {
    return 'The Go module proxy was not reached: check the network and GOPROXY, then run the same command again.';
  }
  if (/checksum mismatch|SECURITY ERROR/.test(output)) {
    return `A module is not what ${moduleFile(recipe, 'go.sum')} says: distrust the proxy that served it.`;
  }
  if (/40[34]|This module version is not available/.test(output)) {
    return 'Your module proxy does not have this version: set GOPROXY to another one, or use --from official.';
  }
  if (/signal: killed|cannot allocate memory/.test(output)) {
    return 'The machine ran out of memory; 4 GB free are needed to link Kubernetes.';
  }
  if (
    /requires go >=|go\.mod requires go|toolchain not available|invalid go version|unknown directive: tool/.test(output)
  ) {
    return 'This Go is too old: install Go 1.26 or newer, or let Go fetch it with GOTOOLCHAIN=auto.';
  }
  return 'The lines above are from Go itself. Run the same command again; if it fails again, report them.';
}
