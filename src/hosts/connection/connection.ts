import type { Duplex } from 'node:stream';
import type { ClientChannel, Client as SshClient } from 'ssh2';
import { isKubewrightError, messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import { abortable } from './abort.js';
import { dial, KEEPALIVE_INTERVAL_MS } from './dial.js';
import type { Hop } from './hop.js';
import type { Connection, Live } from './types.js';

/**
 * Three pings without one byte in return, 9 to 12 s, and the connection counts as lost. OpenSSH's usual advice
 * (10 s x 3) would spend the whole 15 s in which an interrupted install has to run its next command.
 */
const SILENT_TICKS = 3;

/** An unused connection is closed after this long. */
const IDLE_MS = 60_000;

/** It stays usable for its open channels after it was retired from the pool. */
interface Ssh2Live extends Live {
  readonly client: SshClient;
  /** Open channels. */
  channels: number;
  retired: boolean;
  lost: string | undefined;
}

interface Opening {
  /** Whether it counts against sshd's MaxSessions. */
  session: boolean;
  open(client: SshClient, done: (error: Error | undefined, channel: ClientChannel) => void): void;
}

/** One connection to one hop by the library ssh2. */
export class Ssh2Connection implements Connection {
  #live: Promise<Ssh2Live> | undefined;
  #closed = false;

  constructor(
    readonly hop: Hop,
    /** Name of the host in `cluster.yaml`, for messages. */
    readonly host: string,
    /** The connection to the bastion before this hop. */
    private readonly via: Ssh2Connection | undefined,
    private readonly log: (line: string) => void,
  ) {}

  get label(): string {
    return this.hop.label;
  }

  async exec(command: string, signal?: AbortSignal): Promise<{ channel: ClientChannel; live: Ssh2Live }> {
    return await this.#open({ session: true, open: (client, done) => client.exec(command, done) }, signal);
  }

  /** A stream through this connection to another machine. */
  async forward(address: string, port: number): Promise<Duplex> {
    const { channel } = await this.#open({
      session: false,
      open: (client, done) => client.forwardOut('127.0.0.1', 0, address, port, done),
    });
    return channel;
  }

  async ready(signal?: AbortSignal): Promise<Ssh2Live> {
    return (await this.#acquire(signal)).live;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const pending = this.#live ?? Promise.resolve(undefined);
    this.#live = undefined;
    const notYet = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
    const live = await Promise.race([pending.catch(() => undefined), notYet]);
    if (live === undefined || live.lost !== undefined) return;
    await new Promise<void>((resolve) => {
      // A peer that does not answer must not keep the process alive.
      const timer = setTimeout(() => live.client.destroy(), 500);
      live.client.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      live.client.end();
    });
  }

  async #open(opening: Opening, signal?: AbortSignal): Promise<{ channel: ClientChannel; live: Ssh2Live }> {
    const { live, reused } = await this.#acquire(signal);
    try {
      return { channel: await abortable(this.#channel(live, opening), signal, (late) => late.destroy()), live };
    } catch (error) {
      if (!reused || live.lost === undefined || signal?.aborted) throw error;
      const again = await this.#acquire(signal);
      const channel = await abortable(this.#channel(again.live, opening), signal, (late) => late.destroy());
      return { channel, live: again.live };
    }
  }

  async #acquire(signal?: AbortSignal): Promise<{ live: Ssh2Live; reused: boolean }> {
    signal?.throwIfAborted();
    const reused = this.#live !== undefined;
    const pending = this.#live ?? this.#dial();
    this.#live = pending;
    return { live: await abortable(pending, signal), reused };
  }

  #dial(): Promise<Ssh2Live> {
    const pending: Promise<Ssh2Live> = (async () => {
      const via = this.via ? await this.#forwarded(this.via) : undefined;
      const client = await dial(this.hop, this.host, via);
      if (this.#closed) {
        client.end();
        throw hostError('connectionLost', 'the connection was closed by Kubewright', { host: this.host });
      }
      return this.#watch(client, () => this.#forget(pending));
    })();
    pending.catch(() => this.#forget(pending));
    return pending;
  }

  async #forwarded(via: Ssh2Connection): Promise<Duplex> {
    try {
      return await via.forward(this.hop.address, this.hop.port);
    } catch (error) {
      if (isKubewrightError(error) && error.code !== 'KW204') throw error;
      const place = `${this.hop.label} at ${this.hop.address} port ${this.hop.port}`;
      throw hostError('refused', `${via.hop.label} cannot reach ${place}: ${messageOf(error)}`, {
        host: this.host,
        hint: 'Is the host up, and may the bastion forward TCP (AllowTcpForwarding)?',
        cause: error,
      });
    }
  }

  #retire(live: Ssh2Live): void {
    if (!live.retired) this.#live = undefined;
    live.retired = true;
  }

  #forget(pending: Promise<Ssh2Live>): void {
    if (this.#live === pending) this.#live = undefined;
  }

  /** Keeps watch over a connection: what broke it, whether it still answers, whether anyone still needs it. */
  #watch(client: SshClient, forget: () => void): Ssh2Live {
    const live: Ssh2Live = {
      client,
      user: this.hop.user,
      channels: 0,
      retired: false,
      lost: undefined,
      learned: new Map(),
    };
    let lastError = 'the peer closed it';
    let heard = true;
    let silent = 0;
    let idleTicks = 0;
    const socket = (client as unknown as { _sock: Duplex })._sock;
    socket.on('data', () => {
      heard = true;
    });
    const timer = setInterval(() => {
      silent = heard ? 0 : silent + 1;
      heard = false;
      if (silent >= SILENT_TICKS) {
        lastError = `nothing was heard for ${(silent * KEEPALIVE_INTERVAL_MS) / 1000} s`;
        client.destroy();
      }
      idleTicks = live.channels > 0 ? 0 : idleTicks + 1;
      if (live.channels === 0 && (live.retired || idleTicks * KEEPALIVE_INTERVAL_MS >= IDLE_MS)) {
        forget();
        client.end();
      }
    }, KEEPALIVE_INTERVAL_MS);
    client.on('error', (error) => {
      lastError = error.message;
    });
    client.once('close', () => {
      clearInterval(timer);
      live.lost = lastError;
      forget();
      this.log(`${this.host}: connection closed (${lastError})`);
    });
    return live;
  }

  #channel(live: Ssh2Live, opening: Opening): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      live.channels += 1;
      const failed = (error: Error): void => {
        live.channels -= 1;
        reject(this.#channelError(live, opening.session, error));
      };
      try {
        opening.open(live.client, (error, channel) => {
          if (error) return failed(error);
          channel.once('close', () => {
            live.channels -= 1;
          });
          // Without a listener an error on a channel would end the process; `close` always follows.
          channel.on('error', () => undefined);
          resolve(channel);
        });
      } catch (error) {
        live.lost ??= messageOf(error);
        failed(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #channelError(live: Ssh2Live, session: boolean, error: Error): Error {
    if (/open failure/i.test(error.message)) {
      // Sessions leaked on the server, or its MaxSessions is small: a fresh connection starts from none.
      if (session) this.#retire(live);
      return hostError('channelRefused', `${this.hop.label} refused another session: ${error.message}`, {
        host: this.host,
        hint: 'It is tried again on a new connection. If it persists, raise MaxSessions in sshd_config to 10.',
        cause: error,
      });
    }
    if (/Unable to exec/i.test(error.message)) {
      return hostError('shellUnusable', `${this.hop.label} does not let user ${this.hop.user} run commands`, {
        host: this.host,
        hint: 'Look for ForceCommand, a restricted key or a nologin shell there.',
        cause: error,
      });
    }
    return connectionLost(this, live.lost ?? error.message);
  }
}

/** The connection went away below a command, whose end is therefore not known. */
export function connectionLost({ label, host }: Pick<Connection, 'label' | 'host'>, why: string): Error {
  return hostError('connectionLost', `the connection to ${label} was lost: ${why}`, { host });
}
