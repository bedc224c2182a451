import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { KubewrightError } from '../../errors.js';
import type { Architecture } from '../recipes.js';
import { readAptSource } from './apt-source.js';

/** The release whose programs go into the images, whatever the machine itself runs. */
export const DEBIAN_RELEASE = 'bookworm';

/** The keys that sign Debian's archive, from the package debian-archive-keyring (Ubuntu has it too). */
export const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Packages unpacked one over the other. */
export interface UnpackedPackages {
  root: string;
  /** Package → version, for bundle.json. */
  versions: Record<string, string>;
}

/**
 * Fetches Debian packages with an apt of its own below `directory` (its lists, its configuration, its architecture:
 * nothing of the machine's apt is read but its mirror and proxies, and nothing of it is changed), checked against Debian's
 * signatures by apt, and unpacks them without installing anything. Works for a foreign architecture and without root.
 *
 * @throws KW711 with apt's last lines
 */
export async function unpackDebianPackages(
  packages: string[],
  architecture: Architecture,
  directory: string,
  signal?: AbortSignal,
): Promise<UnpackedPackages> {
  const root = join(directory, 'root');
  const downloads = join(directory, 'downloads');
  await Promise.all([root, downloads].map((path) => mkdir(path, { recursive: true })));
  const env = { APT_CONFIG: await writeAptConfiguration(directory, architecture), LC_ALL: 'C.UTF-8' };
  await run('apt-get', ['-q', 'update'], { cwd: downloads, env, signal });
  await run('apt-get', ['-q', 'download', ...packages], { cwd: downloads, env, signal });
  const versions: Record<string, string> = {};
  for (const file of (await readdir(downloads)).filter((name) => name.endsWith('.deb')).sort()) {
    await run('dpkg-deb', ['--extract', join(downloads, file), root], { cwd: downloads, env, signal });
    // apt names the files PACKAGE_VERSION_ARCHITECTURE.deb, with %3a for the colon of an epoch.
    const [name, version] = file.split('_');
    if (name && version) versions[name] = decodeURIComponent(version);
  }
  return { root, versions };
}

async function writeAptConfiguration(directory: string, architecture: Architecture): Promise<string> {
  const apt = join(directory, 'apt');
  const folders = [
    'etc/apt/apt.conf.d',
    'etc/apt/preferences.d',
    'etc/apt/trusted.gpg.d',
    'lists/partial',
    'archives/partial',
  ];
  await Promise.all(folders.map((path) => mkdir(join(apt, path), { recursive: true })));
  await writeFile(join(apt, 'status'), '');
  const { mirror, security } = await readAptSource();
  const suites = [
    [mirror, DEBIAN_RELEASE],
    [mirror, `${DEBIAN_RELEASE}-updates`],
    [security, `${DEBIAN_RELEASE}-security`],
  ];
  const sources = suites.map(([uri, suite]) => `deb [signed-by=${DEBIAN_KEYRING}] ${uri} ${suite} main\n`);
  await writeFile(join(apt, 'etc/apt/sources.list'), sources.join(''));
  const settings = {
    'Dir::Etc': join(apt, 'etc/apt'),
    'Dir::State': apt,
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': apt,
    'Dir::Log': apt,
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': 'root',
    'APT::Get::List-Cleanup': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";`);
  const path = join(apt, 'apt.conf');
  await writeFile(path, [...(await machineSettings()), ...lines, ''].join('\n'));
  return path;
}

/** How the machine reaches its mirrors (proxies, client certificates, a clock that is off) holds for ours as well. */
async function machineSettings(): Promise<string[]> {
  const { stdout } = await execa('apt-config', ['dump'], { reject: false });
  return (stdout ?? '').split('\n').filter((line) => /^Acquire::(https?::|Check-)/.test(line));
}

interface RunOptions {
  cwd: string;
  env: Record<string, string>;
  signal?: AbortSignal | undefined;
}

async function run(command: string, args: string[], { cwd, env, signal }: RunOptions): Promise<void> {
  const cancelSignal = signal ? { cancelSignal: signal } : {};
  const result = await execa(command, args, { cwd, env, all: true, reject: false, ...cancelSignal });
  if (signal?.aborted) throw new KubewrightError('KW703', 'Fetching Debian packages was interrupted.');
  if (!result.failed) return;
  const output = (result.all || result.shortMessage || '').split('\n').slice(-10).join('\n');
  throw new KubewrightError('KW711', `Fetching Debian packages for the images failed: ${lastError(output)}`, {
    hint: 'Is the mirror reachable from here (`apt-get update`)? KUBEWRIGHT_DEBIAN_MIRROR names another one.',
    output,
    cause: result,
  });
}

function lastError(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => line.startsWith('E: ')) ?? lines.at(-1) ?? 'no output';
}
