import type { Writable } from 'node:stream';

/** When everything that was written to a stream has been taken by its reader, or nobody reads it any more. */
export function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
