import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceleratorOf } from './carriers/guest/images.js';
import type { LabHost } from './host.js';
import type { Lab } from './lab.js';
import type { Accelerator, GuestSpec, HostKind, LabCgroups, PlannedHost } from './types.js';

/** What `lab status --json` says of a host. */
export interface HostStatus {
  name: string;
  address: string;
  role: PlannedHost['role'];
  kinds: HostKind[];
  /** What a guest is, and whether the processor runs it (`kvm`) or QEMU's emulation (`tcg`). */
  guest?: GuestSpec & { accelerator: Accelerator };
  running: boolean;
  sshAnswers: boolean;
  cutFromAll: boolean;
  /** Names of the hosts that it was cut off from one by one. */
  cutFrom: string[];
  /** Of its memory cgroup: what its processes use, the page cache they filled included. */
  memoryBytes?: number;
  disk?: { sizeBytes: number; freeBytes: number };
}

export async function hostStatus(lab: Lab, host: LabHost): Promise<HostStatus> {
  const { planned, name, address, role } = host;
  const { whole, from } = await host.cutState();
  const kinds = planned.kinds;
  const off: HostStatus = {
    name,
    address,
    role,
    kinds,
    ...(planned.guest ? { guest: { ...planned.guest, accelerator: acceleratorOf(lab.record, planned.guest) } } : {}),
    running: false,
    sshAnswers: false,
    cutFromAll: whole,
    cutFrom: from,
  };
  if ((await host.initPid()) === undefined) return off;
  const memory = await memoryUsage(lab.record.cgroups, name);
  const disk = await host.diskUsage();
  return {
    ...off,
    running: true,
    sshAnswers: await host.sshAnswers(),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(disk ? { disk } : {}),
  };
}

/** Bytes that a host's memory cgroup holds, page cache included. */
export async function memoryUsage(cgroups: LabCgroups, host: string): Promise<number | undefined> {
  const file = cgroups.unified ? 'memory.current' : 'memory.usage_in_bytes';
  const text = await readFile(join(cgroups.memory, host, file), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}
