import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { listScript, receiveScript } from '../../../src/hosts/files/upload-scripts.js';
import type { Speaker } from './durable.js';
import type { FakeHost } from './host.js';
import type { Input } from './input.js';

export function isUpload(script: string): boolean {
  return script.includes(listScript()) || receives(script);
}

interface Wanted {
  sha256: string;
  size: number;
  mode: string;
  target: string;
  /** What travels: the file itself, or the file packed. */
  sent: { sha256: string; size: number; packed: boolean };
}

/** Whether the script also receives what is missing; the other one only tells. */
export function receives(script: string): boolean {
  return script.includes(receiveScript());
}

/** Plays `listScript`: the index of each file that is not in place. */
export async function listMissing(host: FakeHost, list: Input, speaker: Speaker): Promise<number> {
  const wanted = await readList(list);
  for (const [index, file] of wanted.entries()) if (!isInPlace(host, file)) speaker.out(`${index}\n`);
  return 0;
}

/** Plays `receiveScript`: asks for the bytes of each file that is missing, unpacks what is packed, and verifies them. */
export async function receive(host: FakeHost, input: Input, speaker: Speaker): Promise<number> {
  const wanted = await readList(input);
  const missing = [...wanted.entries()].filter(([, file]) => !isInPlace(host, file));
  for (const [index] of missing) speaker.out(`need ${index} 0\n`);
  for (const [index, file] of missing) {
    const { sha256, size, mode, target, sent } = file;
    speaker.out(`send ${index} 0 ${sent.size}\n`);
    const bytes = await input.bytes(sent.size);
    if (bytes === undefined) return 1;
    if (!isPromised(bytes, file)) speaker.out(`bad ${index}\n`);
    else {
      host.uploads.set(target, { sha256, size, mode });
      speaker.out(`done ${index}\n`);
    }
  }
  speaker.out('end\n');
  return 0;
}

function isPromised(bytes: Buffer, { sha256, sent }: Wanted): boolean {
  const sum = (of: Buffer): string => createHash('sha256').update(of).digest('hex');
  return sum(bytes) === sent.sha256 && (!sent.packed || sum(gunzipSync(bytes)) === sha256);
}

function isInPlace(host: FakeHost, { target, sha256, mode }: Wanted): boolean {
  const there = host.uploads.get(target);
  return there?.sha256 === sha256 && there.mode === mode;
}

async function readList(input: Input): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (let line = await input.line(); line !== undefined && line !== '.'; line = await input.line()) {
    const [sha256 = '', size = '0', mode = '', packedSum = '-', packedSize = '-', target = ''] = line.split('\t');
    const packed = packedSum !== '-';
    const sent = packed ? { sha256: packedSum, size: Number(packedSize) } : { sha256, size: Number(size) };
    wanted.push({ sha256, size: Number(size), mode, target, sent: { ...sent, packed } });
  }
  return wanted;
}
