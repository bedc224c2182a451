import { randomUUID } from 'node:crypto';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { KubewrightError } from '../../errors.js';
import { isAlive, ownIdentity, type ProcessIdentity } from './identity.js';

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
  ) {
    this.path = join(directory, name);
  }

  /** The record as it stands, or undefined when there is none or it is half a file. */
  async read(): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(this.path, 'utf8')) as T;
    } catch {
      return undefined;
    }
  }

  /** Runs `change` with nobody else changing the record. What it returns is written; undefined removes the record. */
  async update<R>(change: (record: T | undefined) => Promise<{ record: T | undefined; result: R }>): Promise<R> {
    const release = await this.lock();
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
    await writeFile(temporary, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
    await chmod(temporary, 0o600);
    await rename(temporary, this.path);
  }

  /**
   * The lock's holder renews it every second; five without that and it counts as abandoned, so a killed command stops
   * nobody for longer. It is held while a process starts: seconds, never minutes.
   */
  private async lock(): Promise<() => Promise<void>> {
    try {
      const release = await lock(this.directory, {
        lockfilePath: `${this.path}.lock`,
        stale: 5_000,
        update: 1_000,
        retries: { retries: 150, factor: 1, minTimeout: 200, maxTimeout: 200 },
        // This process slept through its lock. What it does is harmless twice; throwing out of a timer is not.
        onCompromised: () => {},
      });
      return () => release().catch(() => {});
    } catch (cause) {
      throw new KubewrightError('KW507', `Another command has held ${this.name} in ${this.directory} for 30 s`, {
        hint: `See what runs there with \`kubewright server status\`; if nothing does, remove ${this.path}.lock.`,
        cause,
      });
    }
  }
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
