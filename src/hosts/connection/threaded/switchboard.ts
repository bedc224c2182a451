import type { MessagePort } from 'node:worker_threads';
import type { Ssh2Connection } from '../connection.js';
import type { Ssh2Live } from '../live.js';
import { onOpenConnections } from '../open.js';
import { Ssh2Pool } from '../ssh2-pool.js';
import { packError } from './crossing-error.js';
import type { Done, FromThread, Post, Request, ToThread } from './messages.js';
import { ServedChannel } from './served-channel.js';

/** Serves the main thread with connections by ssh2 that live in this one. To be called once a thread. */
export function serveConnections(port: MessagePort): void {
  const post: Post<FromThread> = (message, transfer) => port.postMessage(message, transfer);
  const switchboard = new Switchboard(post);
  onOpenConnections((count) => post({ kind: 'standing', count }));
  port.on('message', (message: ToThread) => switchboard.receive(message));
}

type Answer = Pick<Done, 'live'>;

class Switchboard {
  readonly #pools = new Map<number, Ssh2Pool>();
  readonly #connections = new Map<number, { pool: number; connection: Ssh2Connection }>();
  readonly #calls = new Map<number, AbortController>();
  readonly #channels = new Map<number, ServedChannel>();
  readonly #lives = new WeakMap<Ssh2Live, number>();
  #nextLive = 1;

  constructor(private readonly post: Post<FromThread>) {}

  receive(message: ToThread): void {
    if (message.kind === 'introduce') this.#introduce(message);
    else if (message.kind === 'call') void this.#call(message.call, message.request);
    else if (message.kind === 'abort') this.#abort(message.call);
    else if (message.kind === 'ping') this.post({ kind: 'pong' });
    else this.#channels.get(message.channel)?.receive(message);
  }

  #introduce({ connection, pool, target }: Extract<ToThread, { kind: 'introduce' }>): void {
    const from = this.#pools.get(pool) ?? new Ssh2Pool((line) => this.post({ kind: 'log', pool, line }));
    this.#pools.set(pool, from);
    this.#connections.set(connection, { pool, connection: from.connection(target) });
  }

  async #call(call: number, request: Request): Promise<void> {
    const caller = new AbortController();
    this.#calls.set(call, caller);
    try {
      await this.#carryOut(call, request, caller.signal);
    } catch (error) {
      this.post({ kind: 'failed', call, error: packError(error) });
    } finally {
      this.#calls.delete(call);
    }
  }

  async #carryOut(call: number, request: Request, signal: AbortSignal): Promise<void> {
    if (request.kind === 'closePool') {
      await this.#closePool(request.pool);
      this.post({ kind: 'done', call });
      return;
    }
    const { connection } = this.#known(request.connection);
    if (request.kind === 'closeConnection') {
      await connection.close();
      this.post({ kind: 'done', call });
    } else if (request.kind === 'ready') {
      const live = await connection.ready(signal);
      this.post({ kind: 'done', call, ...this.#describe(live) });
    } else {
      const { channel, live } = await connection.exec(request.command, signal);
      this.post({ kind: 'done', call, ...this.#describe(live) });
      this.#channels.set(call, new ServedChannel(call, channel, this.post, () => this.#channels.delete(call)));
    }
  }

  #known(id: number): { pool: number; connection: Ssh2Connection } {
    const known = this.#connections.get(id);
    if (known === undefined) throw new RangeError(`there is no connection ${id}`);
    return known;
  }

  async #closePool(id: number): Promise<void> {
    const pool = this.#pools.get(id);
    this.#pools.delete(id);
    for (const [connection, known] of this.#connections) {
      if (known.pool === id) this.#connections.delete(connection);
    }
    await pool?.close();
  }

  /** Whoever gave up may have done so while the answer was on its way. */
  #abort(call: number): void {
    this.#calls.get(call)?.abort();
    this.#channels.get(call)?.drop();
  }

  /** Names a live connection, and sees to it that the main thread hears of its end. */
  #describe(live: Ssh2Live): Answer {
    const { user, lost, client } = live;
    const known = this.#lives.get(live);
    const id = known ?? this.#nextLive++;
    this.#lives.set(live, id);
    if (known === undefined) client.once('close', () => this.post({ kind: 'lost', live: id, why: live.lost ?? '' }));
    return { live: { id, user, lost } };
  }
}
