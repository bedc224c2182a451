import { messageOf } from '../../../errors.js';
import { hostError } from '../../errors.js';
import type { Target } from '../target.js';
import type { Channel, Connection, Live } from '../types.js';
import type { RunningThread } from './running-thread.js';

/** A connection by ssh2 that lives in the other thread. */
export class ThreadConnection implements Connection {
  readonly label: string;
  #isClosed = false;
  /** As the thread has told last; it also tells when that is lost. */
  #live: Live | undefined;

  /**
   * @param thread the thread that runs, or a new one
   * @param current the thread that runs, if any does
   */
  constructor(
    readonly id: number,
    readonly pool: number,
    readonly target: Target,
    private readonly thread: () => RunningThread,
    private readonly current: () => RunningThread | undefined,
  ) {
    const last = target.hops.at(-1);
    if (last === undefined) throw new RangeError('a target has at least one hop');
    this.label = last.label;
  }

  get host(): string {
    return this.target.host;
  }

  async exec(command: string, signal?: AbortSignal): Promise<{ channel: Channel; live: Live }> {
    signal?.throwIfAborted();
    const started = await this.#running().exec(this, command, signal);
    this.#live = started.live;
    return started;
  }

  async ready(signal?: AbortSignal): Promise<Live> {
    signal?.throwIfAborted();
    const thread = this.#running();
    // Every script asks, and each question is a message to the other thread and one back.
    if (this.#live === undefined || this.#live.lost !== undefined) this.#live = await thread.ready(this, signal);
    return this.#live;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.current()?.closeConnection(this);
  }

  /** Its pool was closed, and in the thread it goes with that. */
  closed(): void {
    this.#isClosed = true;
  }

  #running(): RunningThread {
    const { host } = this;
    if (this.#isClosed) throw hostError('connectionLost', 'the connection was closed by Kubewright', { host });
    try {
      return this.thread();
    } catch (error) {
      throw hostError('connectionLost', `no thread for SSH connections could be started: ${messageOf(error)}`, {
        host,
        hint: 'It is tried again. Is the machine with the worker out of memory or of threads (`ulimit -u`)?',
        cause: error,
      });
    }
  }
}
