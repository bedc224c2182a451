import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** Long enough for some 60 MB on a slow line; the SDK itself sets no limit. */
const DOWNLOAD_LIMIT_MS = 5 * 60_000;

/**
 * Has the SDK download Temporal's command line, in a process of its own: the SDK's runtime takes over a process's
 * signals, and Ctrl-C must go on to work here.
 *
 * @returns the path of the executable
 */
export async function downloadBySdk(directory: string, signal?: AbortSignal): Promise<string> {
  await mkdir(directory, { recursive: true });
  const program = fileURLToPath(new URL('./download-process.js', import.meta.url));
  await execa(process.execPath, [...process.execArgv, program, directory], {
    timeout: DOWNLOAD_LIMIT_MS,
    stdin: 'ignore',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const path = await findDownloaded(directory);
  if (path === undefined) throw new Error(`the SDK left nothing in ${directory}`);
  return path;
}

/** What an earlier download left: the SDK names it `temporal-sdk-typescript-VERSION`; half files have other endings. */
export async function findDownloaded(directory: string): Promise<string | undefined> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((candidate) => /^temporal-sdk-typescript-[\d.]+(\.exe)?$/.test(candidate))) {
    const path = join(directory, name);
    if ((await stat(path)).mode & 0o100) return path;
  }
  return undefined;
}
