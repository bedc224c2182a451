import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { AptSource } from '../../../src/artifacts/from-modules/apt-source.js';
import type { Distribution } from '../types.js';

/** Suite of the base image. */
export const SUITE = 'bookworm';

/** Debian's names of the releases that guests run. */
export const SUITES: Record<Distribution, string> = { 'debian-12': 'bookworm', 'debian-13': 'trixie' };

/** What a host's /etc/apt/sources.list says. */
export function sourcesList({ mirror, security }: AptSource, suite: string): string {
  return [
    `deb ${mirror} ${suite} main`,
    `deb ${mirror} ${suite}-updates main`,
    `deb ${security} ${suite}-security main`,
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
