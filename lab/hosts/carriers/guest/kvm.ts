import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { machineArchitecture } from '../../../../src/artifacts/recipes.js';
import type { GuestSpec } from '../../types.js';
import { QEMU, qemuCommand } from './command-line.js';

/** A kernel by KVM has been seen to need a second to come to its end; where it does not, this long is waited. */
const PROBE_LIMIT = 20_000;

/**
 * Boots the guests' own kernel by KVM as far as it comes without a disk. That there is a /dev/kvm says little: in a
 * virtual machine or a container it often is there and does not work.
 *
 * @returns why guests of this architecture cannot run by KVM here, or undefined when they can
 */
export async function whyNoKvm(
  architecture: GuestSpec['architecture'],
  kernel: string,
  run: typeof runProbe = runProbe,
  device = '/dev/kvm',
): Promise<string | undefined> {
  if (architecture !== machineArchitecture()) return `the machine's processor is no ${architecture}`;
  if (!existsSync(device)) return `there is no ${device}`;
  const command = [
    ...qemuCommand({ architecture, accelerator: 'kvm', kernel }),
    ...['-m', '512', '-no-reboot', '-serial', 'stdio'],
    ...['-append', `console=${QEMU[architecture].console} panic=-1`],
  ];
  const { output, timedOut } = await run(command);
  // What a kernel says that has come up and finds no disk.
  if (output.includes('Unable to mount root fs')) return undefined;
  return timedOut
    ? `${device} is there, and a guest does not boot by it within ${PROBE_LIMIT / 1000} s`
    : `${device} is there, and no guest boots by it (${complaint(output)})`;
}

/** QEMU's first words about itself; what the guest printed is no help. */
function complaint(output: string): string {
  const own = /^qemu-system-\w+: (?:error: )?(.+)$/m.exec(output)?.[1];
  return own?.trim() ?? 'QEMU ended without a word';
}

async function runProbe(command: string[]): Promise<{ output: string; timedOut: boolean }> {
  const result = await execa('setpriv', ['--pdeathsig', 'KILL', ...command], {
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: PROBE_LIMIT,
    killSignal: 'SIGKILL',
  });
  return { output: result.all ?? '', timedOut: result.timedOut };
}
