import { readFile } from 'node:fs/promises';
import { KubewrightError } from '../../../../src/errors.js';
import type { GuestImage, GuestSpec } from '../../types.js';
import { MEMORY_MIB } from './command-line.js';
import { ensureGuestImage } from './image/image.js';
import { guestWord } from './images.js';
import { whyNoKvm } from './kvm.js';

/** Room for the machine itself beside its guests, in MiB. */
const RESERVE_MIB = 1024;

/**
 * The images of a lab's guests, and how they run on this machine: by KVM where a guest really boots with it, else in
 * emulation, which is said.
 *
 * @returns by `DISTRIBUTION:ARCHITECTURE`
 * @throws KW618 too little memory, KW641 an image cannot be made, KW701 no room for it
 */
export async function prepareGuests(
  guests: GuestSpec[],
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<Record<string, GuestImage>> {
  await checkMemory(guests.length);
  const images: Record<string, GuestImage> = {};
  for (const guest of guests) {
    const word = guestWord(guest);
    if (images[word]) continue;
    const files = await ensureGuestImage(guest, log, signal);
    const reason = await whyNoKvm(guest.architecture, files.kernel);
    images[word] = { ...files, accelerator: reason === undefined ? 'kvm' : 'tcg' };
    log(
      reason === undefined
        ? `${word}: runs by KVM`
        : `${word}: runs in software emulation, many times slower: ${reason}`,
    );
  }
  return images;
}

/**
 * @param available MiB that the machine can give; read from it unless a test says otherwise
 * @throws KW618
 */
export async function checkMemory(guests: number, available?: number): Promise<void> {
  const free = available ?? (await availableMiB());
  const needed = guests * MEMORY_MIB + RESERVE_MIB;
  if (free >= needed) return;
  throw new KubewrightError(
    'KW618',
    `${guests} guests need ${needed} MiB of memory; this machine has ${Math.round(free)} MiB to give.`,
    { hint: 'Make fewer guests: hosts in namespaces share the memory of the machine and need no part of their own.' },
  );
}

async function availableMiB(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  return Number(/^MemAvailable:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024;
}
