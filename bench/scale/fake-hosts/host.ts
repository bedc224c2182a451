import { createHash } from 'node:crypto';
import type { ClusterHost, Role } from '../../../src/cluster/types.js';
import type { FakeCluster } from './cluster.js';
import type { FakeUnit } from './durable.js';
import type { FakeLease } from './lease.js';

/** A file that was uploaded: its content is of no interest, and a thousand hosts would hold it a thousand times. */
export interface UploadedFile {
  sha256: string;
  size: number;
  mode: string;
}

/** The state of one fake host. What a script changes on a real one, it changes here. */
export class FakeHost {
  readonly name: string;
  readonly address: string;
  readonly role: Role;
  readonly number: number;
  readonly files = new Map<string, string>();
  readonly uploads = new Map<string, UploadedFile>();
  readonly sysctls = new Map<string, string>();
  readonly modules = new Set<string>();
  readonly packages = new Map<string, { held: boolean }>();
  readonly images = new Set<string>();
  readonly accounts = new Set<string>();
  readonly active = new Set<string>();
  readonly enabled = new Set<string>();
  /** Durable commands by the name of their unit. */
  readonly units = new Map<string, FakeUnit>();
  lease: FakeLease | undefined;
  /** A host carries out one durable command at a time. */
  lock: Promise<void> = Promise.resolve();

  constructor(
    readonly cluster: FakeCluster,
    { name, address, role }: ClusterHost,
    number: number,
  ) {
    this.name = name;
    this.address = address;
    this.role = role;
    this.number = number;
    for (const [path, content] of Object.entries(BLANK)) this.files.set(path, content);
    this.files.set('/etc/machine-id', `${this.machineId}\n`);
    this.sysctls.set('/proc/sys/kernel/hostname', `${name}\n`);
  }

  get machineId(): string {
    return createHash('md5').update(this.name).digest('hex');
  }

  get mac(): string {
    const last = [this.number >> 16, (this.number >> 8) & 255, this.number & 255];
    return ['02', '00', '00', ...last.map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
  }

  /** Whether something is at a path: a file, or a folder above one. */
  has(path: string): boolean {
    if (this.files.has(path) || this.uploads.has(path)) return true;
    return [...this.files.keys()].some((file) => file.startsWith(`${path}/`));
  }

  /** Whether one of these patterns (bash's `*` and `{a,b}`) matches something. */
  hasAny(patterns: string[]): boolean {
    return patterns.some((pattern) => {
      if (!/[*{]/.test(pattern)) return this.has(pattern);
      const shape = new RegExp(`^${toRegExp(pattern)}(/|$)`);
      return [...this.files.keys(), ...this.uploads.keys()].some((path) => shape.test(path));
    });
  }

  /** SHA-256 of a file, in hexadecimal; undefined where there is none. */
  digest(path: string): string | undefined {
    const content = this.files.get(path);
    return content === undefined ? this.uploads.get(path)?.sha256 : sha256(content);
  }

  /** Starts a service, or has it read its configuration anew: its drop-in records which one. */
  start(service: string, ...configuration: string[]): void {
    this.active.add(service);
    this.enabled.add(service);
    const text = configuration.map((path) => this.files.get(path) ?? '').join('');
    this.files.set(`/run/kubewright-loaded/${service}.sha256`, `${sha256(text)}  -\n`);
  }
}

export function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

function toRegExp(pattern: string): string {
  return pattern
    .replace(/[.+?^$()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replace(/\{([^}]*)\}/g, (_, choices: string) => `(${choices.replaceAll(',', '|')})`);
}

/** Of a host on which nothing was installed yet. */
const BLANK: Record<string, string> = {
  '/etc/fstab': 'UUID=1 / ext4 defaults 0 1\n',
  '/etc/resolv.conf': 'nameserver 192.0.2.53\n',
  '/etc/os-release': `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
ID=debian
`,
};
