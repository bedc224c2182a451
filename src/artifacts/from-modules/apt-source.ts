import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirror } from './debian-mirror.js';

/**
 * Where Debian's packages come from: from where this machine gets its own. Read at run time, never kept with the project.
 */
export interface AptSource {
  /** Archive of Debian itself. */
  mirror: string;
  /** Archive of its security updates. */
  security: string;
}

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

/** What this machine's apt says, or the mirror that is known otherwise; `$KUBEWRIGHT_DEBIAN_MIRROR` comes before both. */
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
