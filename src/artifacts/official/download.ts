import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sha256OfFile } from '../../bundle/digest.js';
import { KubewrightError, messageOf } from '../../errors.js';

/** Attempts in a row that brought not one byte, before a download is given up. */
const FRUITLESS_ATTEMPTS = 5;
/** A connection that brings nothing for this long (milliseconds) is taken for dead. */
const STALL = 60_000;

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  headers?: Record<string, string>;
  /** Milliseconds before the second attempt; doubled each time. For tests. */
  backoff?: number;
}

/**
 * Downloads a file and compares its SHA-256. A broken connection is taken up again where it broke (HTTP Range, as long
 * as the server says that it is still the same file); `path` comes into being only when everything is there and right.
 *
 * @throws KW720 the server was not reached or went away too often, KW721 the content is not what was published,
 * KW722 there is no such file, KW703 interrupted
 */
export async function download(
  url: string,
  path: string,
  sha256: string,
  options: DownloadOptions = {},
): Promise<void> {
  const part = `${path}.part`;
  await rm(part, { force: true });
  const resumed = await fetchAll(url, part, options);
  let found = await sha256OfFile(part);
  if (found !== sha256 && resumed) {
    // Pieces of two files may have met, if the server has no name for what it sends: once more in one go.
    await rm(part);
    await fetchAll(url, part, options);
    found = await sha256OfFile(part);
  }
  if (found !== sha256) {
    await rm(part);
    throw new KubewrightError('KW721', `${url} is not what was published: SHA-256 is ${found}, not ${sha256}.`, {
      hint: 'Something between here and there changes or damages downloads (a proxy, a mirror): do not use it.',
    });
  }
  await rename(part, path);
}

/**
 * A small text, such as a published checksum.
 *
 * @throws KW720, KW722, KW703 as `download`
 */
export async function fetchText(url: string, options: DownloadOptions = {}): Promise<string> {
  return persist(url, options, async () => (await request(url, options.headers ?? {}, options.signal)).text());
}

/** Fetches into `part` until it is whole; true when that took more than one piece. */
async function fetchAll(url: string, part: string, options: DownloadOptions): Promise<boolean> {
  let etag: string | undefined;
  let pieces = 0;
  await persist(
    url,
    options,
    async () => {
      const have = await sizeOf(part);
      const range: Record<string, string> = have > 0 ? { Range: `bytes=${have}-` } : {};
      if (have > 0 && etag) range['If-Range'] = etag;
      const stalled = new Stall(options.signal);
      try {
        const response = await request(url, { ...options.headers, ...range }, stalled.signal);
        pieces += 1;
        etag = strongEtag(response);
        await save(response, part, have, stalled);
      } catch (error) {
        // What is there does not fit what the server has (any more): begin again.
        if (error instanceof RangeRefused) await rm(part, { force: true });
        throw error;
      } finally {
        stalled.stop();
      }
    },
    () => sizeOf(part),
  );
  return pieces > 1;
}

async function save(response: Response, part: string, have: number, stalled: Stall): Promise<void> {
  const start = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? 0);
  const append = response.status === 206 && start === have && have > 0;
  if (!response.body) throw new Error('the answer has no body');
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  body.on('data', () => stalled.touch());
  await pipeline(body, createWriteStream(part, { flags: append ? 'a' : 'w' }));
  const length = response.headers.get('content-length');
  // A body that the server packed for the way has another length than what arrives.
  const packed = response.headers.has('content-encoding');
  const expected = length === null || packed ? undefined : Number(length) + (append ? have : 0);
  if (expected !== undefined && (await sizeOf(part)) < expected) throw new Error('the connection ended early');
}

/** A weak one does not promise the same bytes. */
function strongEtag(response: Response): string | undefined {
  const etag = response.headers.get('etag');
  return etag?.startsWith('"') ? etag : undefined;
}

async function request(url: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(url, { headers, redirect: 'follow', ...(signal ? { signal } : {}) });
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 416) throw new RangeRefused();
  if (response.status >= 500 || response.status === 429) throw new Error(`the server says ${response.status}`);
  throw new KubewrightError('KW722', `${url} is not to be had: the server says ${response.status}.`, {
    hint: 'Is the version right, and published for this architecture? With a mirror: does it carry this file?',
  });
}

class RangeRefused extends Error {
  override message = 'the server refused to go on where the download broke off';
}

/** Repeats what fails on the way, with growing pauses, as long as something arrives; errors of ours are final. */
async function persist<T>(
  url: string,
  { signal, backoff = 500 }: DownloadOptions,
  attempt: () => Promise<T>,
  progress: () => Promise<number> = async () => 0,
): Promise<T> {
  let fruitless = 0;
  for (let before = await progress(); ; ) {
    try {
      return await attempt();
    } catch (cause) {
      if (cause instanceof KubewrightError) throw cause;
      if (signal?.aborted) throw new KubewrightError('KW703', `Downloading ${url} was interrupted.`, { cause });
      const now = await progress();
      fruitless = now > before ? 1 : fruitless + 1;
      before = now;
      if (fruitless >= FRUITLESS_ATTEMPTS) throw unreachable(url, cause);
      await new Promise((resolve) => setTimeout(resolve, backoff * 2 ** (fruitless - 1)));
    }
  }
}

function unreachable(url: string, cause: unknown): KubewrightError {
  // fetch says "fetch failed" and hides the reason one level below.
  const reason = messageOf(cause instanceof Error && cause.cause ? cause.cause : cause);
  return new KubewrightError('KW720', `${url} could not be downloaded: ${reason}.`, {
    hint: 'Check the network; behind a proxy set HTTPS_PROXY and NODE_USE_ENV_PROXY=1 (Node 24), or use --mirror.',
    transient: true,
    cause,
  });
}

/** Aborts a transfer that brings nothing, or when the caller says so. */
class Stall {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal;

  constructor(outer: AbortSignal | undefined) {
    this.signal = outer ? AbortSignal.any([outer, this.controller.signal]) : this.controller.signal;
    this.touch();
  }

  touch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new Error('nothing arrived for a minute')), STALL);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
