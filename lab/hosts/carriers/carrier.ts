import type { LabRecord, PlannedHost } from '../types.js';

/** A host and the lab that it is part of. */
export interface Place {
  labDirectory: string;
  lab: LabRecord;
  host: PlannedHost;
}

/** A host that was just switched on. */
export interface Launched {
  /** Whether what carries it has ended already: the host will not come up. */
  ended: boolean;
}

export interface ScriptOptions {
  /** Bytes for standard input, which is empty otherwise. */
  input?: string | Buffer;
  timeoutMs: number;
}

/** What a script on a host came to; no exit code when it was ended by a signal or by its timeout. */
export interface ScriptResult {
  exitCode?: number | undefined;
  stdout: string;
  stderr: string;
  durationMs: number;
  timedOut: boolean;
}

/** What was prepared for the hosts of one carrier, for the lab's record. */
export type Prepared = Pick<LabRecord, 'base' | 'guests'>;

/**
 * What a host runs on: namespaces of the machine's own kernel, or QEMU with a kernel of the guest's own. The lab around it
 * (network, cuts, cgroups, keys, files) is the same for both. Every process of a host is below its cgroups, so that
 * ending a host, or the whole lab, needs no carrier.
 *
 * `pid` in what follows is what `pid()` gave: these questions are asked while the host is on, and are answered also while
 * it is cut off from the network. Undefined means that the host did not answer.
 */
export interface Carrier {
  /** Bound on a boot in ms, several times what a busy machine was seen to need. */
  readonly bootLimit: number;

  /** Programs of the machine that these hosts need, with the Debian package that brings each. */
  programs(hosts: PlannedHost[]): Record<string, string>;

  /**
   * Makes what the hosts share and is not in the cache. Nothing of the lab exists yet; programs are installed.
   *
   * @throws KW6xx when the machine cannot carry them, or an image cannot be made
   */
  prepare(hosts: PlannedHost[], log: (line: string) => void, signal?: AbortSignal): Promise<Prepared>;

  /** Gives the host an empty disk; a former one is gone. It is off. */
  makeDisk(place: Place): Promise<void>;

  /**
   * Switches the host on by processes that outlive this one, and returns at once.
   *
   * @param switchPid a process in the network namespace of the lab's switch
   */
  launch(place: Place, switchPid: number): Promise<Launched>;

  /** The process with which the host lives and dies, as the machine counts; undefined when the host is off. */
  pid(place: Place): Promise<number | undefined>;

  /** The id that each boot has of its own. */
  bootId(place: Place, pid: number): Promise<string | undefined>;

  /** Whether something listens on the host's SSH port. */
  sshListens(place: Place, pid: number): Promise<boolean>;

  /** Whether users other than root may log in: the boot has come that far. */
  loginsAllowed(place: Place, pid: number): Promise<boolean>;

  diskUsage(place: Place, pid: number): Promise<{ sizeBytes: number; freeBytes: number } | undefined>;

  /** Runs a bash script as root, without SSH and the network. */
  run(place: Place, pid: number, script: string, options: ScriptOptions): Promise<ScriptResult>;
}

/** What scripts on a host find in their environment; nothing of the caller's, which may hold secrets. */
export const HOST_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};
