import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Content that is read when its turn comes. */
export interface TarContent {
  /** Bytes; what `bytes()` yields must add up to it. */
  size: number;
  bytes(): AsyncIterable<Buffer>;
}

/** A file on the disk as the content of an entry. */
export async function fileContent(path: string): Promise<TarContent> {
  const { size } = await stat(path);
  return { size, bytes: () => createReadStream(path, { highWaterMark: 1 << 20 }) };
}

/** One entry of a tar archive. Owner is always root, and the time always the epoch: the same input, the same bytes. */
export type TarEntry = {
  /** Without a leading slash. */
  path: string;
} & (
  | { type: 'directory'; mode?: number }
  | { type: 'symlink'; target: string }
  | {
      type: 'file';
      mode?: number;
      content: Buffer | TarContent;
      /** Extended attributes, such as `security.capability`. */
      xattrs?: Record<string, Buffer>;
    }
);

const BLOCK = 512;
const TYPE_FLAGS = { file: '0', symlink: '2', directory: '5' } as const;

/** The bytes of a tar archive (POSIX ustar, and pax where ustar is not enough) with these entries in this order. */
export async function* tarBytes(entries: TarEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield* headers(entry);
    if (entry.type === 'file') yield* contentBytes(entry.path, entry.content);
  }
  yield Buffer.alloc(2 * BLOCK);
}

async function* contentBytes(path: string, content: Buffer | TarContent): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(content)) {
    yield content;
    yield padding(content.length);
    return;
  }
  let read = 0;
  for await (const chunk of content.bytes()) {
    read += chunk.length;
    yield chunk;
  }
  // A header with another length than its content would make the rest of the archive unreadable.
  if (read !== content.size) throw new Error(`${path} changed while it was packed: ${read} bytes, not ${content.size}`);
  yield padding(read);
}

/** Sorted by path, so that a directory comes before what is in it and the order of the disk has no say. */
export function sortEntries(entries: TarEntry[]): TarEntry[] {
  return [...entries].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function contentSize(entry: TarEntry): number {
  if (entry.type !== 'file') return 0;
  return Buffer.isBuffer(entry.content) ? entry.content.length : entry.content.size;
}

function* headers(entry: TarEntry): Generator<Buffer> {
  const records = paxRecords(entry);
  if (records.length > 0) {
    yield header({ name: 'pax', size: records.length, mode: 0o644, type: 'x', target: '' });
    yield records;
    yield padding(records.length);
  }
  const isLink = entry.type === 'symlink';
  const mode = isLink ? 0o777 : (entry.mode ?? (entry.type === 'directory' ? 0o755 : 0o644));
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  yield header({
    // What does not fit stands in the pax record before it, and readers ignore this.
    name: fits(name) ? name : name.slice(0, 100),
    size: contentSize(entry),
    mode,
    type: TYPE_FLAGS[entry.type],
    target: isLink ? entry.target.slice(0, 100) : '',
  });
}

/** ASCII of up to 100 bytes; the prefix field, which some readers know and some do not, stays unused. */
function fits(text: string): boolean {
  return text.length <= 100 && /^[\x20-\x7e]*$/.test(text);
}

/** Sizes above 8 GiB would need a record of their own; nothing in an image comes near. */
function paxRecords(entry: TarEntry): Buffer {
  const records: Buffer[] = [];
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  if (!fits(name)) records.push(paxRecord('path', Buffer.from(name)));
  if (entry.type === 'symlink' && !fits(entry.target)) records.push(paxRecord('linkpath', Buffer.from(entry.target)));
  if (entry.type === 'file') {
    for (const [key, value] of Object.entries(entry.xattrs ?? {})) {
      records.push(paxRecord(`SCHILY.xattr.${key}`, value));
    }
  }
  return Buffer.concat(records);
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record, its own digits included. */
function paxRecord(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = body.length + String(body.length).length;
  if (String(length).length + body.length !== length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

function header(fields: { name: string; size: number; mode: number; type: string; target: string }): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(fields.name, 0, 100, 'utf8');
  block.write(octal(fields.mode, 7), 100);
  block.write(octal(0, 7), 108); // uid
  block.write(octal(0, 7), 116); // gid
  block.write(octal(fields.size, 11), 124);
  block.write(octal(0, 11), 136); // modification time
  block.write(' '.repeat(8), 148); // the checksum counts itself as blanks
  block.write(fields.type, 156);
  block.write(fields.target, 157, 100, 'utf8');
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
