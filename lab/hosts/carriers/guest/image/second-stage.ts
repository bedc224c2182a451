import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { GuestSpec } from '../../../types.js';
import { diskArguments, kernelArguments, qemuCommand } from '../command-line.js';
import { imageFailure, must } from './failure.js';

/** Half an hour more than a busy machine was seen to need, in ms. */
const LIMIT = 3_600_000;

/** How often the waiting one is told something, in ms. */
const PROGRESS = 60_000;

/** Copies the kernel out of its package, which the tree of a foreign debootstrap holds and has not unpacked. */
export async function takeKernel(root: string, target: string): Promise<void> {
  const archives = join(root, 'var/cache/apt/archives');
  const name = (await readdir(archives)).find((file) => /^linux-image-\d.*\.deb$/.test(file));
  if (name === undefined) throw imageFailure('debootstrap', 'It brought no package linux-image-VERSION.');
  const scratch = await mkdtemp(join(tmpdir(), 'kubewright-kernel-'));
  try {
    await must('dpkg-deb', ['--extract', join(archives, name), scratch]);
    const kernel = (await readdir(join(scratch, 'boot'))).find((file) => file.startsWith('vmlinuz-')) ?? 'vmlinuz';
    await must('cp', [join(scratch, 'boot', kernel), target]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Boots the image once with second-stage.sh as its init, always emulated: the machine's processor is another one.
 *
 * @throws KW641 with the last lines of its console
 */
export async function runSecondStage(
  architecture: GuestSpec['architecture'],
  files: { kernel: string; disk: string },
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const command = [
    ...qemuCommand({ architecture, accelerator: 'tcg', kernel: files.kernel }),
    ...['-smp', '2', '-m', '2048', '-no-reboot', '-serial', 'stdio'],
    ...['-append', kernelArguments(architecture, 'init=/kubewright-second-stage', 'panic=-1')],
    ...diskArguments(files.disk),
  ];
  const lines: string[] = [];
  const stop = reportProgress(lines, log);
  try {
    const qemu = execa('setpriv', ['--pdeathsig', 'KILL', ...command], {
      reject: false,
      all: true,
      stdin: 'ignore',
      buffer: false,
      timeout: LIMIT,
      ...(signal ? { cancelSignal: signal } : {}),
    });
    for await (const line of qemu.iterable({ from: 'all' })) lines.push(line.trimEnd());
    await qemu;
  } finally {
    stop();
  }
  signal?.throwIfAborted();
  if (!lines.includes('KUBEWRIGHT second stage done'))
    throw imageFailure('the second stage of debootstrap', lines.join('\n'));
}

/** Says once a minute how far it is. @param lines what the console has printed so far; debootstrap's steps begin with `I: ` */
function reportProgress(lines: string[], log: (line: string) => void): () => void {
  const begin = performance.now();
  const timer = setInterval(() => {
    const steps = lines.filter((line) => line.startsWith('I: ')).map((line) => line.slice('I: '.length));
    const minutes = Math.round((performance.now() - begin) / 60_000);
    log(
      `setting up its packages in emulation: ${minutes} min, ${steps.length} steps, now ${steps.at(-1) ?? 'booting'}`,
    );
  }, PROGRESS);
  return () => clearInterval(timer);
}
