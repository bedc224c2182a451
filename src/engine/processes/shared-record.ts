import { randomUUID } from 'node:crypto';
import { chmod, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { KubewrightError } from '../../errors.js';
import { isAlive, ownIdentity, type ProcessIdentity } from './identity.js';
import { isOther, type Machine, thisMachine } from './machine.js';

/** A record is touched every 20 s while what it names runs; one that was not for this long is nobody's. */
const FRESH_MS = 2 * 60_000;
const LOCK_TRIES = 150;
const LOCK_PAUSE_MS = 200;

/** One use of a shared process: a program may hold several, such as a script with a worker of its own. */
export interface ProcessUser extends ProcessIdentity {
  /** Tells the uses of one program apart. */
  use: string;
}

/** A background process that several commands use: the first starts it, the last one stops it. */
export interface SharedProcess extends ProcessIdentity {
  /** Commands (and workers) that use it now. */
  users: ProcessUser[];
  /** Keeps running when the last user leaves. */
  detached: boolean;
  /** Where it runs; written with the record. */
  machine?: Machine;
  /** Who stopped it on purpose, for people: users in other terminals must not start it again. */
  stoppedBy?: string;
}

/**
 * The record of a shared process in the state directory, read and written under a lock. What it says is a claim, not a
 * fact: whoever reads it checks that the process is alive and is the same one.
 */
export class SharedRecord<T extends SharedProcess> {
  private readonly path: string;

  constructor(
    private readonly directory: string,
    private readonly name: string,
    private readonly freshMs = FRESH_MS,
  ) {
    this.path = join(directory, name);
  }

  /**
   * The record as it stands, or undefined when there is none or it is half a file.
   *
   * @throws KubewrightError KW550 when a machine that shares this directory runs what it names
   */
  async read(): Promise<T | undefined> {
    const record = await this.parse();
    if (record?.machine === undefined || record.pid === 0) return record;
    if (isOther(record.machine, await thisMachine()) && (await this.isFresh()))
      throw elsewhere(this.path, record.machine);
    return record;
  }

  private async parse(): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(this.path, 'utf8')) as T;
    } catch {
      return undefined;
    }
  }

  /** Both times by the clock of the file system (ctime, which nobody can set): each machine's own may be wrong. */
  private async isFresh(): Promise<boolean> {
    const probe = `${this.path}.${process.pid}.now`;
    await writeFile(probe, '', { mode: 0o600 });
    const now = (await stat(probe)).ctimeMs;
    await rm(probe, { force: true });
    const written = await stat(this.path).catch(() => undefined);
    return written !== undefined && now - written.ctimeMs < this.freshMs;
  }

  /** Says that what the record names still runs, for machines that cannot look. */
  async touch(): Promise<void> {
    const now = new Date();
    await utimes(this.path, now, now).catch(() => {});
  }

  /**
   * Runs `change` with nobody else changing the record. What it returns is written; undefined removes the record.
   *
   * @param signal gives up waiting for the lock
   * @throws KubewrightError KW507 when another command does not let go of the lock, KW550 see `read`
   */
  async update<R>(
    change: (record: T | undefined) => Promise<{ record: T | undefined; result: R }>,
    signal?: AbortSignal,
  ): Promise<R> {
    const release = await this.lock(signal);
    try {
      const { record, result } = await change(await this.read());
      if (record === undefined) await rm(this.path, { force: true });
      else await this.write(record);
      return result;
    } finally {
      await release();
    }
  }

  private async write(record: T): Promise<void> {
    const temporary = `${this.path}.${process.pid}`;
    const content = { ...record, machine: await thisMachine() };
    await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    await chmod(temporary, 0o600);
    await rename(temporary, this.path);
  }

  /**
   * The lock's holder renews it every second; five without that and it counts as abandoned, so a killed command stops
   * nobody for longer. It is held while a process starts: seconds, never minutes.
   */
  private async lock(signal: AbortSignal | undefined): Promise<() => Promise<void>> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      try {
        // By the record's own path, there or not: the library keeps one lock a path, whatever `lockfilePath` says, and two
        // records of one directory would let go of each other's.
        const release = await lock(this.path, {
          realpath: false,
          lockfilePath: `${this.path}.lock`,
          stale: 5_000,
          update: 1_000,
          // This process slept through its lock. What it does is harmless twice; throwing out of a timer is not.
          onCompromised: () => {},
        });
        return () => release().catch(() => {});
      } catch (cause) {
        if (attempt > LOCK_TRIES) throw this.held(cause);
        await sleep(LOCK_PAUSE_MS, undefined, { signal });
      }
    }
  }

  private held(cause: unknown): KubewrightError {
    return new KubewrightError('KW507', `Another command has held ${this.name} in ${this.directory} for 30 s`, {
      hint: `See what runs there with \`kubewright server status\`; if nothing does, remove ${this.path}.lock.`,
      cause,
    });
  }
}

function elsewhere(path: string, { hostname }: Machine): KubewrightError {
  return new KubewrightError('KW550', `${path} is in use on another machine, ${hostname}`, {
    hint:
      'A state directory belongs to one machine at a time. On a shared home directory set KUBEWRIGHT_STATE to a directory ' +
      `of this machine's own, or run \`kubewright server stop\` on ${hostname}. If that machine is gone, wait two minutes.`,
  });
}

/** A use of a shared process by this process. */
export async function newUser(): Promise<ProcessUser> {
  return { ...(await ownIdentity()), use: randomUUID() };
}

/** Those of the users that still live: a killed command never says that it leaves. */
export async function livingUsers(users: ProcessUser[]): Promise<ProcessUser[]> {
  const alive = await Promise.all(users.map(isAlive));
  return users.filter((_, index) => alive[index]);
}

export function withUser(users: ProcessUser[], user: ProcessUser): ProcessUser[] {
  return [...withoutUser(users, user), user];
}

export function withoutUser(users: ProcessUser[], user: ProcessUser): ProcessUser[] {
  return users.filter((other) => other.use !== user.use);
}
