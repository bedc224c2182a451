import { type ResourceLimits, Worker } from 'node:worker_threads';
import { BUILD } from '../../../build.js';
import { messageOf } from '../../../errors.js';
import { abortable } from '../abort.js';
import { connectionLost } from '../connection.js';
import { countConnection } from '../open.js';
import type { Live } from '../types.js';
import { ThreadChannel } from './channel.js';
import type { ThreadConnection } from './connection.js';
import { unpackError } from './crossing-error.js';
import type { Done, FromThread, Post, Request, ToThread } from './messages.js';

/** How a thread is started. */
export interface Program {
  url: URL;
  /** Of its memory; Node's own unless given. */
  resourceLimits?: ResourceLimits;
  /** Build that it must be of: an update replaces files below a process that runs. That of this process unless given. */
  build?: string;
  /** How often it is asked whether it is still there; default 10 s. */
  pingMs?: number;
}

/** A thousand handshakes keep it busy for seconds, and it answers in between. */
const PING_MS = 10_000;

/** So many pings without a word, and it is stuck for good: it counts as dead. */
const MOST_UNANSWERED = 3;

/** Who waits for an answer. */
interface Call {
  done(answer: Done): void;
  failed(error: unknown): void;
  /** The thread ended before it answered. */
  lost(why: string): void;
}

/** A live connection of the other thread, as those see it who use its channels. */
type ThreadLive = { -readonly [Key in keyof Live]: Live[Key] };

/** One thread from its start to its end: what was asked of it, and what it keeps for this one. */
export class RunningThread {
  readonly #worker: Worker;
  readonly #introduced = new Set<ThreadConnection>();
  readonly #calls = new Map<number, Call>();
  readonly #channels = new Map<number, ThreadChannel>();
  readonly #lives = new Map<number, ThreadLive>();
  /** One for each connection that stands there: what takes it off the count. */
  readonly #standing: (() => void)[] = [];
  #nextCall = 1;
  #failure: unknown;
  /** Pings since it was heard last; none before its first word, for it may take its time to start. */
  #unanswered: number | undefined;
  readonly #watch: NodeJS.Timeout;
  #state: 'runs' | 'is to end' | 'has ended' = 'runs';

  /**
   * @param log takes a line of a pool
   * @param onDeath called once when it has ended although nobody had asked it to
   */
  constructor(
    { url, pingMs = PING_MS, build = BUILD, ...options }: Program,
    private readonly log: (pool: number, line: string) => void,
    private readonly onDeath: (why: string, error: unknown) => void,
  ) {
    // What this process was started with (loaders, `-e`) is not for it.
    this.#worker = new Worker(url, { name: 'kubewright-ssh', execArgv: [], workerData: { build }, ...options });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#failure = error;
    });
    this.#worker.once('exit', (code) => this.#ended(code));
    this.#watch = setInterval(() => this.#ping(), pingMs).unref();
    this.#holdProcess();
  }

  get isUsable(): boolean {
    return this.#state === 'runs';
  }

  /** See `Connection`. @throws KubewrightError KW203 when the thread ends meanwhile */
  ready(connection: ThreadConnection, signal?: AbortSignal): Promise<Live> {
    const request: Request = { kind: 'ready', connection: connection.id };
    return this.#ask(connection, request, (done) => this.#live(done), signal);
  }

  /** See `Connection`. @throws KubewrightError KW203 when the thread ends meanwhile */
  exec(
    connection: ThreadConnection,
    command: string,
    signal?: AbortSignal,
  ): Promise<{ channel: ThreadChannel; live: Live }> {
    const request: Request = { kind: 'exec', connection: connection.id, command };
    const take = (done: Done) => ({ channel: this.#open(done.call), live: this.#live(done) });
    return this.#ask(connection, request, take, signal);
  }

  async closeConnection(connection: ThreadConnection): Promise<void> {
    if (this.#introduced.has(connection)) await this.#close({ kind: 'closeConnection', connection: connection.id });
  }

  async closePool(pool: number): Promise<void> {
    await this.#close({ kind: 'closePool', pool });
    for (const connection of this.#introduced) if (connection.pool === pool) this.#introduced.delete(connection);
  }

  /** Ends it at once; what is under way in it counts as lost. */
  async end(): Promise<void> {
    if (this.#state === 'runs') this.#state = 'is to end';
    this.#worker.ref();
    await this.#worker.terminate();
  }

  /** @throws `signal.reason` itself after an abort, as every connection does */
  #ask<T>(
    connection: ThreadConnection,
    request: Request,
    take: (done: Done) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    this.#introduce(connection);
    const call = this.#nextCall++;
    const asked = new Promise<T>((resolve, reject) => {
      const done = (answer: Done): void => resolve(take(answer));
      this.#send(call, request, { done, failed: reject, lost: (why) => reject(connectionLost(connection, why)) });
    });
    const giveUp = (): void => {
      this.#post({ kind: 'abort', call });
      this.#channels.delete(call);
      this.#settle(call);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    return abortable(asked, signal).finally(() => signal?.removeEventListener('abort', giveUp));
  }

  /** A thread that ends meanwhile has closed everything. */
  #close(request: Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#send(this.#nextCall++, request, { done: () => resolve(), failed: reject, lost: () => resolve() });
    });
  }

  #introduce(connection: ThreadConnection): void {
    if (this.#introduced.has(connection)) return;
    const { id, pool, target } = connection;
    this.#post({ kind: 'introduce', connection: id, pool, target });
    this.#introduced.add(connection);
  }

  #send(id: number, request: Request, call: Call): void {
    this.#calls.set(id, call);
    this.#holdProcess();
    this.#post({ kind: 'call', call: id, request });
  }

  /** The call, which is over with that. */
  #settle(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    this.#holdProcess();
    return call;
  }

  #ping(): void {
    if (this.#unanswered === undefined) return;
    this.#unanswered += 1;
    if (this.#unanswered <= MOST_UNANSWERED) {
      this.#post({ kind: 'ping' });
      return;
    }
    this.#failure ??= new Error('it did not answer any more');
    void this.#worker.terminate();
  }

  #receive(message: FromThread): void {
    this.#unanswered = 0;
    if (message.kind === 'pong') return;
    if (message.kind === 'done') this.#settle(message.call)?.done(message);
    else if (message.kind === 'failed') this.#settle(message.call)?.failed(unpackError(message.error));
    else if (message.kind === 'lost') this.#lose(message.live, message.why);
    else if (message.kind === 'log') this.log(message.pool, message.line);
    else if (message.kind === 'standing') this.#count(message.count);
    else {
      const channel = this.#channels.get(message.channel);
      if (message.kind === 'closed') this.#channels.delete(message.channel);
      this.#holdProcess();
      channel?.receive(message);
    }
  }

  #open(id: number): ThreadChannel {
    const channel = new ThreadChannel(id, this.#post);
    this.#channels.set(id, channel);
    this.#holdProcess();
    return channel;
  }

  #live({ live: told }: Done): ThreadLive {
    if (told === undefined) throw new TypeError('an answer without its connection');
    const live = this.#lives.get(told.id) ?? { user: told.user, lost: told.lost, learned: new Map() };
    if (live.lost === undefined) this.#lives.set(told.id, live);
    return live;
  }

  #lose(id: number, why: string): void {
    const live = this.#lives.get(id);
    this.#lives.delete(id);
    if (live !== undefined) live.lost = why;
  }

  #count(standing: number): void {
    while (this.#standing.length < standing) this.#standing.push(countConnection());
    while (this.#standing.length > standing) this.#standing.pop()?.();
  }

  /** What is under way keeps the process alive, as a socket would; the thread by itself does not. */
  #holdProcess(): void {
    if (this.#calls.size > 0 || this.#channels.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #ended(code: number): void {
    clearInterval(this.#watch);
    const death = this.#failure === undefined ? `exit code ${code}` : messageOf(this.#failure);
    const why =
      this.#state === 'is to end' ? 'Kubewright closed it' : `the thread of the SSH connections ended (${death})`;
    const isDeath = this.#state === 'runs';
    this.#state = 'has ended';
    this.#count(0);
    for (const id of [...this.#lives.keys()]) this.#lose(id, why);
    for (const channel of this.#channels.values()) channel.finish();
    this.#channels.clear();
    for (const id of [...this.#calls.keys()]) this.#settle(id)?.lost(why);
    if (isDeath) this.onDeath(why, this.#failure);
  }

  // Bound: channels are given it by itself.
  readonly #post: Post<ToThread> = (message, transfer) => this.#worker.postMessage(message, transfer);
}
