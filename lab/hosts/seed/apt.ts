import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { debianMirror } from '../../debian-mirror.js';

/**
 * Where lab hosts get packages: from where this machine gets them. Read at run time and never kept with the project.
 */
export interface AptSource {
  /** Archive of Debian itself. */
  mirror: string;
  /** Archive of its security updates. */
  security: string;
}

/** Suite of the base image. */
export const SUITE = 'bookworm';

interface Entry {
  uri: string;
  suite: string;
}

/** Entries of one-line style files (`deb [options] URI SUITE COMPONENT…`). */
export function parseOneLine(text: string): Entry[] {
  return [...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm)].map(([, uri = '', suite = '']) => ({
    uri,
    suite,
  }));
}

/** Entries of deb822 style files (`Types:`, `URIs:`, `Suites:` in paragraphs). */
export function parseDeb822(text: string): Entry[] {
  const paragraphs = text.replace(/^#.*\n/gm, '').split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => {
    const field = (name: string): string[] =>
      new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(paragraph)?.[1]?.trim().split(/\s+/) ?? [];
    if (!field('Types').includes('deb') || field('Enabled')[0] === 'no') return [];
    return field('URIs').flatMap((uri) => field('Suites').map((suite) => ({ uri, suite })));
  });
}

/**
 * The first archive that carries Debian releases. Mirrors carry all releases, so the machine's own may be another.
 */
export function chooseSource(entries: Entry[], otherwise: () => string = debianMirror): AptSource {
  const release = (suffix: string): RegExp =>
    new RegExp(`^(bullseye|bookworm|trixie|forky|sid|stable|testing)${suffix}$`);
  const find = (pattern: RegExp): string | undefined =>
    entries.find(({ uri, suite }) => pattern.test(suite) && /^https?:/.test(uri))?.uri.replace(/\/$/, '');
  const mirror = find(release('')) ?? otherwise();
  // Mirrors of both keep them side by side under these names.
  return { mirror, security: find(release('-security')) ?? `${mirror}-security` };
}

export async function readAptSource(env: NodeJS.ProcessEnv = process.env): Promise<AptSource> {
  if (env.KUBEWRIGHT_DEBIAN_MIRROR) return chooseSource([]);
  const directory = '/etc/apt/sources.list.d';
  const names = (await readdir(directory).catch(() => [])).sort();
  const texts = async (extension: string, first: string[]): Promise<string[]> => {
    const paths = [...first, ...names.filter((name) => name.endsWith(extension)).map((name) => join(directory, name))];
    return await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  };
  const oneLine = (await texts('.list', ['/etc/apt/sources.list'])).flatMap(parseOneLine);
  const deb822 = (await texts('.sources', [])).flatMap(parseDeb822);
  return chooseSource([...oneLine, ...deb822]);
}

/** What a host's /etc/apt/sources.list says. */
export function sourcesList({ mirror, security }: AptSource): string {
  return [
    `deb ${mirror} ${SUITE} main`,
    `deb ${mirror} ${SUITE}-updates main`,
    `deb ${security} ${SUITE}-security main`,
    '',
  ].join('\n');
}

/** This machine's settings for fetching (proxies, dates that are not checked, retries), as an apt.conf. */
export async function readAptSettings(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await execa('apt-config', ['dump'], { reject: false });
  const kept = (stdout ?? '')
    .split('\n')
    .filter((line) => /^Acquire::(http|https|Retries|Check-|ForceIPv[46])/.test(line));
  const proxies = (['http', 'https'] as const).flatMap((scheme) => {
    const url = env[`${scheme}_proxy`];
    const known = kept.some((line) => line.startsWith(`Acquire::${scheme}::Proxy `));
    return url && !known ? [`Acquire::${scheme}::Proxy "${url}";`] : [];
  });
  return [...kept, ...proxies, ''].join('\n');
}

/**
 * This machine's resolvers. A resolver on the loopback answers nobody but this machine, so what stands behind
 * systemd-resolved is used then.
 */
export async function readResolvConf(): Promise<string> {
  const own = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const reachable = /^nameserver\s+(?!127\.|::1)/m.test(own);
  return reachable ? own : await readFile('/run/systemd/resolve/resolv.conf', 'utf8').catch(() => own);
}
