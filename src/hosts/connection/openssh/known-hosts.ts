import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { SshSettings } from '../../../cluster/types.js';
import { messageOf } from '../../../errors.js';
import { hostError } from '../../errors.js';

/**
 * Every known_hosts file that is there must be readable: `ssh` takes one that it cannot read for an empty one, and with
 * `accept-new` would then trust whoever answers. A file that will take a new key must be writable, and end with a line
 * end: `ssh` up to 9.2 at least writes the new entry into an unfinished last line, and both are lost.
 *
 * @throws KubewrightError KW223, KW226
 */
export function checkKnownHosts(files: string[], hostKeys: SshSettings['hostKeys'], host: string): void {
  for (const file of files) {
    const end = lastByte(file, host);
    if (hostKeys !== 'accept-new' || file !== files[0] || file === 'none') continue;
    try {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      appendFileSync(file, end === undefined || end === '\n' ? '' : '\n', { mode: 0o600 });
    } catch (error) {
      throw hostError('knownHostsNotWritable', `cannot add a new host's key to ${file}: ${messageOf(error)}`, {
        host,
        hint: 'Let the worker write that file, or add the key yourself.',
        cause: error,
      });
    }
  }
}

/** Undefined for an empty file, and for none. @throws KubewrightError KW223 */
function lastByte(file: string, host: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    return readSync(descriptor, last, 0, 1, Math.max(0, size - 1)) === 1 ? last.toString('latin1') : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw hostError('knownHostsUnreadable', `cannot read ${file}: ${messageOf(error)}`, {
      host,
      hint: 'No host is trusted without it. Make the file readable for the worker.',
      cause: error,
    });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
