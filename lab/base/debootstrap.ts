import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { readAptSource } from '../../src/artifacts/from-modules/apt-source.js';
import { readAptSettings } from '../hosts/seed/apt.js';

export interface Debian {
  suite: string;
  packages: readonly string[];
  /** Another than the machine's: only unpacked, as far as the machine can; the rest is left to the tree's second stage. */
  foreign?: string;
  signal?: AbortSignal | undefined;
}

/**
 * Makes a minimal Debian tree from where this machine gets its own packages.
 *
 * @returns what debootstrap printed when it failed; undefined when all is well
 */
export async function debootstrap(
  root: string,
  { suite, packages, foreign, signal }: Debian,
): Promise<string | undefined> {
  const { mirror } = await readAptSource();
  const other = foreign === undefined ? [] : ['--foreign', `--arch=${foreign}`];
  const args = [...other, '--variant=minbase', `--include=${packages.join(',')}`, suite, root, mirror];
  const result = await execa('debootstrap', args, {
    reject: false,
    all: true,
    env: await proxyEnvironment(),
    ...(signal ? { cancelSignal: signal } : {}),
  });
  if (!result.failed) {
    if (foreign === undefined) await rm(join(root, 'debootstrap'), { recursive: true, force: true });
    return undefined;
  }
  const log = await readFile(join(root, 'debootstrap', 'debootstrap.log'), 'utf8').catch(() => '');
  // debootstrap leaves /proc and /sys mounted when it is interrupted.
  await execa('umount', ['--recursive', '--quiet', join(root, 'proc'), join(root, 'sys')], { reject: false });
  return `${result.all ?? ''}\n${log}`;
}

/** debootstrap downloads by wget, which does not read apt's settings. */
async function proxyEnvironment(): Promise<Record<string, string>> {
  const proxy = /^Acquire::http::Proxy "(.+)";$/m.exec(await readAptSettings())?.[1];
  return proxy ? { http_proxy: proxy } : {};
}
