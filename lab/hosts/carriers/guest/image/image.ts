import { copyFile, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ArtifactKey,
  artifactPath,
  ensureArtifact,
  findArtifact,
  requireFreeSpace,
} from '../../../../../src/artifacts/cache/cache.js';
import { machineArchitecture } from '../../../../../src/artifacts/recipes.js';
import { debootstrap } from '../../../../base/debootstrap.js';
import { PACKAGES } from '../../../../base/image.js';
import { recipeHash } from '../../../../base/recipe.js';
import { asset } from '../../../machine/assets.js';
import { SUITES } from '../../../seed/apt.js';
import type { GuestImage, GuestSpec } from '../../../types.js';
import { guestWord } from '../images.js';
import { imageFailure, must } from './failure.js';
import { runSecondStage, takeKernel } from './second-stage.js';

const SCRIPTS = 'hosts/carriers/guest/image';

/** Size of the image in GiB; each guest's copy of it grows to its own. */
const IMAGE_GIB = 3;

/** Measured while it is made: the tree with its packages, and the image. Units of 10^9 bytes. */
const GIGABYTES = 2;

export type GuestFiles = Pick<GuestImage, 'disk' | 'kernel'>;

/** Packages of a guest: those of the hosts that share the machine's kernel, and what a machine of its own has beside them. */
export function guestPackages({ architecture }: GuestSpec): string[] {
  return [...PACKAGES, 'udev', 'nftables', 'qemu-guest-agent', `linux-image-cloud-${architecture}`];
}

/**
 * The disk that guests start from and the kernel that boots it, from the cache or else made by debootstrap: two minutes; for
 * another architecture than the machine's a quarter of an hour, most of it inside an emulated guest.
 *
 * @throws KW641 when they cannot be made; KW701 when the disk has no room
 */
export async function ensureGuestImage(
  guest: GuestSpec,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<GuestFiles> {
  const key = await keyOf(guest);
  const isForeign = guest.architecture !== machineArchitecture();
  const directory = await ensureArtifact(
    key,
    async (partial) => {
      log(`making the image of ${guestWord(guest)}, once: about ${isForeign ? 'a quarter of an hour' : 'two minutes'}`);
      await requireFreeSpace(join(artifactPath(key), '..'), GIGABYTES, 'the image of guests');
      await (isForeign ? buildForeign : build)(partial, guest, log, signal);
    },
    log,
  );
  return { disk: join(directory, 'disk.img'), kernel: join(directory, 'vmlinuz') };
}

/** Whether the image of these guests is in the cache. */
export async function hasGuestImage(guest: GuestSpec): Promise<boolean> {
  return (await findArtifact(await keyOf(guest))) !== undefined;
}

async function keyOf(guest: GuestSpec): Promise<ArtifactKey> {
  const recipe = await recipeHash(guestPackages(guest), asset(SCRIPTS));
  return { kind: 'guest-image', version: guestWord(guest).replace(':', '-'), recipe };
}

async function build(directory: string, guest: GuestSpec, _: unknown, signal: AbortSignal | undefined): Promise<void> {
  const root = join(directory, 'root');
  const suite = SUITES[guest.distribution];
  const failed = await debootstrap(root, { suite, packages: guestPackages(guest), signal });
  signal?.throwIfAborted();
  if (failed !== undefined) throw imageFailure('debootstrap', failed);
  const kernel = (await readdir(join(root, 'boot'))).find((name) => name.startsWith('vmlinuz-')) ?? 'vmlinuz';
  await copyFile(join(root, 'boot', kernel), join(directory, 'vmlinuz'));
  await must('bash', [asset(`${SCRIPTS}/customise.sh`), root]);
  await makeImage(root, join(directory, 'disk.img'));
}

/** The second stage needs a disk to work on, so here the image comes before what is done to it. */
async function buildForeign(
  directory: string,
  guest: GuestSpec,
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const root = join(directory, 'root');
  const [suite, packages] = [SUITES[guest.distribution], guestPackages(guest)];
  const failed = await debootstrap(root, { suite, packages, foreign: guest.architecture, signal });
  signal?.throwIfAborted();
  if (failed !== undefined) throw imageFailure('debootstrap', failed);
  const files = { kernel: join(directory, 'vmlinuz'), disk: join(directory, 'disk.img') };
  await takeKernel(root, files.kernel);
  await must('install', ['-m', '0755', asset(`${SCRIPTS}/second-stage.sh`), join(root, 'kubewright-second-stage')]);
  await makeImage(root, files.disk);
  await runSecondStage(guest.architecture, files, log, signal);
  await mkdir(root);
  await must('unshare', [
    '--mount',
    '--propagation',
    'private',
    'bash',
    '-ec',
    ON_IMAGE,
    'customise',
    files.disk,
    root,
  ]);
  await rm(root, { recursive: true });
}

const ON_IMAGE = `mount -o loop "$1" "$2"; bash '${asset(`${SCRIPTS}/customise.sh`)}' "$2"; umount "$2"`;

/** A sparse file with a file system that holds the tree; the tree is gone then. */
async function makeImage(root: string, disk: string): Promise<void> {
  await writeFile(disk, '');
  await truncate(disk, IMAGE_GIB * 2 ** 30);
  // No reserve for root, who is who fills it.
  await must('mkfs.ext4', ['-q', '-m', '0', '-E', 'lazy_itable_init=1,nodiscard', '-d', root, disk]);
  await rm(root, { recursive: true });
}
