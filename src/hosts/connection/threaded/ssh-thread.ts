import { existsSync } from 'node:fs';
import type { Ssh2Connections } from '../ssh2-pool.js';
import type { Target } from '../target.js';
import type { Connection } from '../types.js';
import { ThreadConnection } from './connection.js';
import { type Program, RunningThread } from './running-thread.js';

/**
 * The thread in which the SSH connections of a process live, so that handshakes and ciphers hold up nothing else in it.
 * One is enough: it serves any number of pools. It is started by the first use at the latest, and again by the next one after it died.
 */
export class SshThread {
  readonly #logs = new Map<number, (line: string) => void>();
  #running: RunningThread | undefined;
  #nextPool = 1;
  #nextConnection = 1;

  constructor(private readonly program: Program) {}

  /** @param log takes one line at a time, without secrets */
  pool(log: (line: string) => void): Ssh2Connections {
    const pool = this.#nextPool++;
    const connections = new Map<string, ThreadConnection>();
    const make = (target: Target): ThreadConnection =>
      new ThreadConnection(
        this.#nextConnection++,
        pool,
        target,
        () => this.#start(),
        () => this.#current(),
      );
    this.#logs.set(pool, log);
    return {
      connection: (target: Target): Connection => {
        const key = JSON.stringify(target);
        const connection = connections.get(key) ?? make(target);
        connections.set(key, connection);
        return connection;
      },
      close: async () => {
        for (const connection of connections.values()) connection.closed();
        await this.#current()?.closePool(pool);
        this.#logs.delete(pool);
      },
    };
  }

  /**
   * Starts the thread before anybody needs it: a worker may live through an update of the package, and what is loaded then is
   * what it was started with.
   */
  begin(): void {
    this.#start();
  }

  /** Ends the thread at once, and with it every connection that no pool has closed yet. Another use starts a new one. */
  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.end();
  }

  #current(): RunningThread | undefined {
    return this.#running?.isUsable ? this.#running : undefined;
  }

  #start(): RunningThread {
    this.#running =
      this.#current() ??
      new RunningThread(
        this.program,
        (pool, line) => this.#logs.get(pool)?.(line),
        (why, error) => this.#died(why, error),
      );
    return this.#running;
  }

  #died(why: string, error: unknown): void {
    // Nobody may log, and what ended a thread must be found somewhere: this goes to the worker's standard error.
    if (error instanceof Error) process.emitWarning(why, { type: 'Kubewright', detail: error.stack });
    for (const log of this.#logs.values()) log(`all connections closed (${why})`);
  }
}

/**
 * A thread for the SSH connections of this process. None where only TypeScript lies, as in a test that runs the sources:
 * Node starts no thread from it, and the connections stay in the thread that uses them.
 */
export function makeSshThread(): SshThread | undefined {
  const url = new URL('./program.js', import.meta.url);
  return existsSync(url) ? new SshThread({ url }) : undefined;
}
