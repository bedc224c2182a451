import { readFileSync } from 'node:fs';
import { VERSION } from './version.js';

/**
 * This build: the version and, behind a plus sign, the commit that it was made of, such as `0.1.0+1f0c2ab34`; with `.dirty` where
 * something was not committed. The version alone where the commit is not known. It stands in every plan, so that two builds
 * of one version can be told apart; versions are compared without it (`versionOf`).
 */
export const BUILD = buildOf(new URL('../build.json', import.meta.url));

/** @param file what `scripts/write-build.mjs` has left in dist/; it is not there where the program runs from its source */
export function buildOf(file: URL): string {
  try {
    const { commit } = JSON.parse(readFileSync(file, 'utf8')) as { commit?: unknown };
    return typeof commit === 'string' && /^[0-9a-f]+(\.dirty)?$/.test(commit) ? `${VERSION}+${commit}` : VERSION;
  } catch {
    return VERSION;
  }
}

/** The version of a build: what stands before the commit. */
export function versionOf(build: string): string {
  return build.split('+')[0] ?? build;
}
