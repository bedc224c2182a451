import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import { redact } from '../redact.js';
import type { Upload, UploadOptions } from '../types.js';
import { checkPath, type FileHost } from './small-files.js';
import { listScript, receiveScript } from './upload-scripts.js';

/** What uploads need of a host, beyond `FileHost`: a script with its standard input open. */
export interface UploadHost extends FileHost {
  start(
    script: string,
    handlers: { onStdout(chunk: Buffer): void; onStderr(chunk: Buffer): void; signal?: AbortSignal },
  ): Promise<{ channel: Writable; exit: Promise<number> }>;
}

/** Read from disk in pieces of this size; smaller ones cost a fifth of the throughput. */
const CHUNK_BYTES = 512 * 1024;

/** See `RemoteHost.missingUploads`. */
export async function missingUploads(host: FileHost, files: Upload[]): Promise<Upload[]> {
  if (files.length === 0) return [];
  const { exitCode, stdout, stderr } = await host.collect(listScript(), list(files));
  if (exitCode !== 0) throw failed(host, `cannot look for uploaded files: ${stderr.trim() || `exit code ${exitCode}`}`);
  const indices = stdout.toString().split('\n').filter(Boolean).map(Number);
  return indices.flatMap((index) => files[index] ?? []);
}

/** See `RemoteHost.upload`. @throws KubewrightError KW250 no space, KW251 not verified, KW252 unusable source */
export async function upload(host: UploadHost, files: Upload[], options: UploadOptions = {}): Promise<number> {
  if (files.length === 0) return 0;
  await checkSources(host, files);
  const first = await new Transfer(host, files, options).run();
  // A part from an earlier time was damaged meanwhile: it is gone now, so this goes from the beginning.
  const again = first.bad.filter((file) => first.resumed.has(file));
  const second = again.length > 0 ? await new Transfer(host, again, options).run() : { bytes: 0, bad: [] };
  const bad = [...first.bad.filter((file) => !first.resumed.has(file)), ...second.bad];
  if (bad.length === 0) return first.bytes + second.bytes;
  const names = bad.map((file) => `${file.source} (expected SHA-256 ${expectedSum(file)})`);
  throw failed(
    host,
    `what arrived is not what was promised: ${names.join(', ')}`,
    'Is the bundle damaged? `kubewright bundle verify` reads it whole.',
  );
}

/** What travels: the source's own bytes. */
function sentOf({ packed, sha256, size }: Upload): { sha256: string; size: number } {
  return packed ?? { sha256, size };
}

function expectedSum({ packed, sha256 }: Upload): string {
  return packed ? `${packed.sha256}, unpacked ${sha256}` : sha256;
}

async function checkSources(host: UploadHost, files: Upload[]): Promise<void> {
  const problems = await Promise.all(
    files.map(async (file) => {
      checkPath(file.target);
      try {
        const { size } = await stat(file.source);
        const expected = sentOf(file).size;
        return size === expected ? undefined : `${file.source} has ${size} bytes, expected ${expected}`;
      } catch (error) {
        return messageOf(error);
      }
    }),
  );
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) return;
  throw sourceUnusable(host, found.join('; '));
}

function sourceUnusable(host: FileHost, why: string): Error {
  return hostError('sourceUnusable', `cannot upload: ${why}`, {
    host: host.name,
    hint: 'Make the bundle again, or point `packages.bundle` to a complete one.',
  });
}

/** One receiving script and the bytes that it asks for. */
class Transfer {
  readonly #resumed = new Set<Upload>();
  readonly #announced = new Set<Upload>();
  readonly #bad: Upload[] = [];
  readonly #failed: string[] = [];
  #pending = '';
  #complaint = '';
  #complete = false;
  #failure: unknown;
  #bytes = 0;
  /** The pieces that were asked for so far, one after the other. */
  #sending: Promise<void> = Promise.resolve();
  #send: (file: Upload, offset: number, bytes: number) => Promise<void> = async () => undefined;

  constructor(
    private readonly host: UploadHost,
    private readonly files: Upload[],
    private readonly options: UploadOptions,
  ) {}

  async run(): Promise<{ bytes: number; bad: Upload[]; resumed: Set<Upload> }> {
    const { channel, exit } = await this.host.start(receiveScript(), {
      onStdout: (chunk) => this.#onStdout(chunk),
      onStderr: (chunk) => {
        this.#complaint = (this.#complaint + chunk.toString('utf8')).slice(-2000);
      },
      signal: this.options.signal,
    });
    this.#send = (file, offset, bytes) => this.#sendPiece(channel, exit, file, offset, bytes);
    channel.write(list(this.files));
    const code = await exit;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#failed.length > 0) throw this.#notPlaced(this.#failed.join('; '));
    if (!this.#complete) throw this.#broken(code);
    return { bytes: this.#bytes, bad: this.#bad, resumed: this.#resumed };
  }

  #onStdout(chunk: Buffer): void {
    const lines = (this.#pending + chunk.toString('utf8')).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line.split(' '));
  }

  #onLine([verb, index, ...rest]: string[]): void {
    const file = this.files[Number(index)];
    if (verb === 'need' && file && Number(rest[0]) > 0) this.#resumed.add(file);
    else if (verb === 'send' && file) this.#serve(file, Number(rest[0]), Number(rest[1]));
    else if (verb === 'bad' && file) this.#bad.push(file);
    else if (verb === 'failed' && file) this.#failed.push(`${file.target}: ${rest.join(' ')}`);
    else if (verb === 'kept' && file) this.options.onBackup?.(file.target, rest.join(' '));
    else if (verb === 'end') this.#complete = true;
    else if (verb === 'busy') this.options.onProgress?.('waiting for another upload to this host');
    else if (verb === 'stalled') this.#failure ??= stalled(this.host);
    else if (verb === 'nospace') this.#failure ??= noSpace(this.host, [index ?? '', ...rest]);
  }

  /** The host waits for each piece, so there is one at a time; it gives up by itself when none comes. */
  #serve(file: Upload, offset: number, bytes: number): void {
    this.#announce(file, offset);
    this.#sending = this.#sending
      .then(() => this.#send(file, offset, bytes))
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
  }

  #announce(file: Upload, offset: number): void {
    const name = path.basename(file.target);
    const size = mebibytes(sentOf(file).size);
    const from = offset === 0 ? '' : `, going on at ${mebibytes(offset)}`;
    const again = this.#announced.has(file);
    this.#announced.add(file);
    this.options.onProgress?.(
      again ? `uploading ${name} (${mebibytes(offset)} of ${size} MiB)` : `uploading ${name} (${size} MiB${from})`,
    );
  }

  async #sendPiece(
    channel: Writable,
    exit: Promise<number>,
    file: Upload,
    offset: number,
    bytes: number,
  ): Promise<void> {
    let sent = 0;
    const piece = { start: offset, end: offset + bytes - 1, highWaterMark: CHUNK_BYTES };
    for await (const chunk of createReadStream(file.source, piece)) {
      if (channel.destroyed || channel.writableEnded) return;
      sent += (chunk as Buffer).length;
      this.#bytes += (chunk as Buffer).length;
      // A channel that closes never drains.
      if (!channel.write(chunk)) await Promise.race([once(channel, 'drain'), exit]);
    }
    if (sent === bytes) return;
    // The host would wait for what is not there.
    channel.end();
    throw sourceUnusable(this.host, `${file.source} became shorter while it was read`);
  }

  #broken(code: number): Error {
    const why = redact(this.#complaint.trim()) || `the receiving end stopped with exit code ${code}`;
    return isFull(why) ? becameFull(this.host, why) : failed(this.host, `the upload stopped: ${why}`);
  }

  #notPlaced(why: string): Error {
    return isFull(why) ? becameFull(this.host, why) : failed(this.host, `cannot put in place: ${why}`);
  }
}

/** By the words of the tool that could not write. */
function isFull(why: string): boolean {
  return /No space left|Disk quota/i.test(why);
}

function becameFull(host: FileHost, why: string): Error {
  return hostError('noSpace', `no space left during the upload: ${why}`, {
    host: host.name,
    hint: 'Free some space there and retry; it goes on where it stopped.',
  });
}

function list(files: Upload[]): Buffer {
  const lines = files.map(({ sha256, size, mode, packed, target }) => {
    checkPath(target);
    for (const sum of [sha256, packed?.sha256 ?? sha256])
      if (!/^[0-9a-f]{64}$/.test(sum)) throw new TypeError(`not a SHA-256: ${sum}`);
    const travels = packed ? [packed.sha256, packed.size] : ['-', '-'];
    return `${[sha256, size, mode.toString(8).padStart(4, '0'), ...travels, target].join('\t')}\n`;
  });
  return Buffer.from(`${lines.join('')}.\n`);
}

function noSpace(host: FileHost, [needed, available, directory]: string[]): Error {
  const text = `${directory} needs ${mebibytes(Number(needed))} MiB for uploads, ${mebibytes(Number(available))} MiB are free`;
  return hostError('noSpace', text, {
    host: host.name,
    hint: 'Free some space there and retry; nothing was uploaded yet.',
  });
}

/** The receiving end waited half a minute for bytes: the line is slower than any that can be used, or was for a while. */
function stalled(host: FileHost): Error {
  return hostError('transferStalled', 'the upload stalled: nothing arrived for half a minute', {
    host: host.name,
    hint: 'It goes on by itself where it stopped. Is the line to the host very slow?',
  });
}

function failed(host: FileHost, message: string, hint = 'It is tried again; parts that arrived are kept.'): Error {
  return hostError('transferFailed', message, { host: host.name, hint });
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(bytes < 104_857_600 ? 1 : 0);
}
