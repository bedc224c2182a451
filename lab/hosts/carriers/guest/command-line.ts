import type { Accelerator, GuestSpec } from '../../types.js';

type Architecture = GuestSpec['architecture'];

/** What differs from architecture to architecture in QEMU and in the kernel's view of the machine. */
export const QEMU: Record<Architecture, { program: string; package: string; console: string }> = {
  amd64: { program: 'qemu-system-x86_64', package: 'qemu-system-x86', console: 'ttyS0' },
  arm64: { program: 'qemu-system-aarch64', package: 'qemu-system-arm', console: 'ttyAMA0' },
};

/** Processors of a guest: kubeadm wants two for a control plane. */
const PROCESSORS = 2;

/** Memory of a guest in MiB. QEMU takes it from the machine as the guest touches it. */
export const MEMORY_MIB = 3072;

/**
 * Seconds after which a kernel that has panicked starts anew, as a machine's watchdog would have it. One of some dozen boots of
 * an emulated amd64 guest ends so on a busy machine: with a thread for each processor QEMU may carry out a breakpoint that
 * another processor has just taken away again, by which the kernel changes its own code ("Oops: int3").
 */
const PANIC_TIMEOUT = 1;

/** Debian's agent of QEMU waits on the port of this name. */
const AGENT_PORT = 'org.qemu.guest_agent.0';

export interface GuestCommand {
  architecture: Architecture;
  accelerator: Accelerator;
  kernel: string;
  disk: string;
  /** File that the serial console is appended to. */
  console: string;
  /** Path of the socket that leads to the guest's agent; at most 107 bytes. */
  agent: string;
  /** The guest's port on the bridge, and the address of its card. */
  port: string;
  mac: string;
}

/**
 * The command line of a guest's QEMU. Debian's cloud kernels have the disk's driver (NVMe), ext4 and the serial line to the
 * agent built in, so a guest boots without an initial ram disk; the rest are modules on its disk. Paths must hold no comma
 * (`checkPath` has refused them).
 */
export function guestCommand(guest: GuestCommand): string[] {
  return [
    ...qemuCommand(guest),
    ...['-smp', String(PROCESSORS), '-m', String(MEMORY_MIB)],
    ...['-append', kernelArguments(guest.architecture, `panic=${PANIC_TIMEOUT}`)],
    ...diskArguments(guest.disk),
    ...['-netdev', `tap,id=net,ifname=${guest.port},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net,mac=${guest.mac},romfile=`],
    ...['-device', 'virtio-rng-pci'],
    ...['-device', 'virtio-serial-pci'],
    ...['-chardev', `socket,id=agent,path=${guest.agent},server=on,wait=off`],
    ...['-device', `virtserialport,chardev=agent,name=${AGENT_PORT}`],
    ...['-chardev', `file,id=console,path=${guest.console},append=on`, '-serial', 'chardev:console'],
  ];
}

/** The part of a command line that every use of an image has: machine, processor, kernel, no display. */
export function qemuCommand({
  architecture,
  accelerator,
  kernel,
}: Pick<GuestCommand, 'architecture' | 'accelerator' | 'kernel'>): string[] {
  return [
    QEMU[architecture].program,
    ...machineArguments(architecture, accelerator),
    ...['-kernel', kernel],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
  ];
}

/**
 * @param disk a raw file. `unsafe`: what the guest has flushed is the machine's to write, and its kernel outlives the guest.
 * `unmap`: what a guest deletes takes no room on the machine any more.
 */
export function diskArguments(disk: string): string[] {
  return [
    ...['-drive', `file=${disk},if=none,id=disk,format=raw,cache=unsafe,discard=unmap`],
    ...['-device', 'nvme,drive=disk,serial=kubewright-lab'],
  ];
}

/** @param more such as another `init=` */
export function kernelArguments(architecture: Architecture, ...more: string[]): string {
  const root = ['root=/dev/nvme0n1', 'rw', 'rootfstype=ext4'];
  // Emulation is slow enough without mitigations for a processor that is not there.
  return [...root, `console=${QEMU[architecture].console}`, 'net.ifnames=0', 'mitigations=off', ...more].join(' ');
}

function machineArguments(architecture: Architecture, accelerator: Accelerator): string[] {
  const emulated = accelerator === 'tcg';
  const accel = ['-accel', emulated ? 'tcg,thread=multi' : 'kvm'];
  // Without a SATA controller, whose drivers a guest would load and wait for.
  if (architecture === 'amd64') return ['-machine', 'q35,sata=off', ...accel, '-cpu', emulated ? 'max' : 'host'];
  // Pointer authentication in its own algorithm costs an emulated guest half of its time.
  return emulated
    ? ['-machine', 'virt', ...accel, '-cpu', 'max,pauth-impdef=on']
    : ['-machine', 'virt,gic-version=host', ...accel, '-cpu', 'host'];
}
