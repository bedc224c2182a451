import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { sha256OfFile } from '../../bundle/digest.js';
import { KubewrightError } from '../../errors.js';
import { Meter, type MeterItem } from '../progress/meter.js';
import { type Answer, bytesOf, Client, discard, isPage, looksLikePage, reasonOf, refused, webPage } from './client.js';
import { diskFull, isDiskFull } from './disk-full.js';

/** Attempts in a row that brought not one byte, before a download is given up. */
const FRUITLESS_ATTEMPTS = 5;

export interface DownloadOptions {
  client?: Client;
  signal?: AbortSignal | undefined;
  /** Asked for before each attempt: a token may have run out since the last one. */
  headers?: () => Promise<Record<string, string>>;
  /** Milliseconds before the second attempt; doubled each time. For tests. */
  backoff?: number | undefined;
  /** Told what arrives. */
  item?: MeterItem;
}

/**
 * Downloads a file and compares its SHA-256. What arrives lies in `PATH.part`; a broken connection, and a later call after an
 * interruption or a power failure, go on where that ends (HTTP Range, within one call as long as the server says that it is
 * still the same file). `path` comes into being only when everything is there and right.
 *
 * @throws KW720 the server was not reached or went away too often, KW721 the content is not what was published,
 * KW722 there is no such file, KW723 a web page came instead, KW736 and KW737 as `Client`, KW707 the disk is full,
 * KW703 interrupted. After the last three and KW720 the next call goes on.
 */
export async function download(
  url: string,
  path: string,
  sha256: string,
  options: DownloadOptions = {},
): Promise<void> {
  const part = `${path}.part`;
  const item = options.item ?? new Meter().item();
  const kept = await sizeOf(part);
  item.stands(kept);
  // Killed between the last byte and the end: there is nothing left to ask for.
  let found = kept > 0 ? await sha256OfFile(part) : '';
  if (found !== sha256) {
    const pieces = await fetchAll(url, part, { ...options, item });
    found = await sha256OfFile(part);
    if (found !== sha256 && (kept > 0 || pieces > 1)) {
      // Pieces of two files may have met, or a power failure took what was not on the disk yet: once more in one go.
      await rm(part);
      await fetchAll(url, part, { ...options, item });
      found = await sha256OfFile(part);
    }
  }
  if (found !== sha256) throw await mismatch(url, part, found, sha256);
  await rename(part, path);
}

async function mismatch(url: string, part: string, found: string, sha256: string): Promise<KubewrightError> {
  const beginning = await beginningOf(part);
  await rm(part);
  if (looksLikePage(beginning)) return webPage(url);
  return new KubewrightError('KW721', `${url} is not what was published: SHA-256 is ${found}, not ${sha256}.`, {
    hint: 'Something between here and there changes or damages downloads (a proxy, a mirror): do not use it.',
  });
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * A small text, such as a published checksum.
 *
 * @throws as `download`
 */
export async function fetchText(url: string, options: DownloadOptions = {}): Promise<string> {
  const text = (await fetchBytes(url, options)).toString('utf8');
  if (looksLikePage(text)) throw webPage(url);
  return text;
}

/** Something small, whatever it is. Throws as `download`. */
export async function fetchBytes(url: string, options: DownloadOptions = {}): Promise<Buffer> {
  return persist(url, options, async () => bytesOf(await request(url, {}, options)));
}

/**
 * The size (bytes) that the server announces for a file, undefined where it does not: only the progress depends on it, so
 * whatever is wrong there is told by the download itself.
 */
export async function announcedSize(url: string, { client = new Client(), signal }: DownloadOptions): Promise<number> {
  try {
    const answer = await client.ask(url, { method: 'HEAD', signal });
    discard(answer);
    return answer.ok ? Number(answer.headers['content-length'] ?? 0) : 0;
  } catch {
    return 0;
  }
}

/** Fetches into `part` until it is whole; how many pieces that took. */
async function fetchAll(url: string, part: string, options: DownloadOptions & { item: MeterItem }): Promise<number> {
  let etag: string | undefined;
  let pieces = 0;
  const attempt = async (): Promise<void> => {
    const have = await sizeOf(part);
    options.item.stands(have);
    const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
    if (have > 0 && etag) range['if-range'] = etag;
    try {
      const answer = await request(url, range, options);
      pieces += 1;
      etag = strongEtag(answer);
      await save(answer, part, have, options.item);
    } catch (error) {
      // What is there does not fit what the server has (any more): begin again.
      if (error instanceof RangeRefused) await rm(part, { force: true });
      if (isDiskFull(error)) throw await diskFull(part, `${url}, byte ${await sizeOf(part)}`, error);
      throw error;
    }
  };
  await persist(url, options, attempt, () => sizeOf(part));
  return pieces;
}

async function save({ status, headers, body }: Answer, part: string, have: number, item: MeterItem): Promise<void> {
  const append = status === 206;
  if (append && Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1]) !== have) {
    body.destroy();
    throw new RangeRefused();
  }
  const length = headers['content-length'];
  const expected = length === undefined ? undefined : Number(length) + (append ? have : 0);
  if (!append) item.stands(0);
  if (expected !== undefined) item.size(expected);
  body.on('data', (chunk: Buffer) => item.arrived(chunk.length));
  await pipeline(body, createWriteStream(part, { flags: append ? 'a' : 'w' }));
  if (expected !== undefined && (await sizeOf(part)) < expected) throw new Error('the connection ended early');
}

/** A weak one does not promise the same bytes. */
function strongEtag({ headers: { etag } }: Answer): string | undefined {
  return etag?.startsWith('"') ? etag : undefined;
}

async function request(url: string, headers: Record<string, string>, options: DownloadOptions): Promise<Answer> {
  const { client = new Client(), signal } = options;
  const own = (await options.headers?.()) ?? {};
  const answer = await client.ask(url, { headers: { ...own, ...headers }, signal });
  if (answer.ok && !isPage(answer)) return answer;
  discard(answer);
  if (answer.ok) throw webPage(url);
  const { status } = answer;
  if (status === 416) throw new RangeRefused();
  if (status >= 500 || status === 429) throw new Error(`the server says ${status}`);
  throw (
    refused(url, answer, client.credentials) ??
    new KubewrightError('KW722', `${url} is not to be had: the server says ${status}.`, {
      hint: 'Is the version right, and published for this architecture? With a mirror: does it carry this file?',
    })
  );
}

class RangeRefused extends Error {
  override message = 'the server refused to go on where the download broke off';
}

/** Repeats what fails on the way, with growing pauses, as long as something arrives; errors of ours are final. */
export async function persist<T>(
  url: string,
  { signal, backoff = 500 }: Pick<DownloadOptions, 'signal' | 'backoff'>,
  attempt: () => Promise<T>,
  progress: () => Promise<number> = async () => 0,
): Promise<T> {
  let fruitless = 0;
  for (let before = await progress(); ; ) {
    try {
      return await attempt();
    } catch (cause) {
      if (cause instanceof KubewrightError) throw cause;
      if (signal?.aborted) throw interrupted(url, cause);
      const now = await progress();
      fruitless = now > before ? 1 : fruitless + 1;
      before = now;
      if (fruitless >= FRUITLESS_ATTEMPTS) throw unreachable(url, cause);
      await new Promise((resolve) => setTimeout(resolve, backoff * 2 ** (fruitless - 1)));
    }
  }
}

function interrupted(url: string, cause: unknown): KubewrightError {
  return new KubewrightError('KW703', `Downloading ${url} was interrupted.`, {
    hint: 'The same command goes on from where it was.',
    cause,
  });
}

function unreachable(url: string, cause: unknown): KubewrightError {
  return new KubewrightError('KW720', `${url} could not be downloaded: ${reasonOf(cause)}.`, {
    hint: 'Check the network; behind a proxy set HTTPS_PROXY and NODE_USE_ENV_PROXY=1 (Node 24), or use --mirror. The same command goes on from where it was.',
    transient: true,
    cause,
  });
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
