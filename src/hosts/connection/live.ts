import type { Duplex } from 'node:stream';
import type { ClientChannel, Client as SshClient } from 'ssh2';
import { messageOf } from '../../errors.js';
import { KEEPALIVE_INTERVAL_MS } from './dial.js';
import { countConnection } from './open.js';
import { type SeatLive, SessionRefused } from './seats.js';

/**
 * Three pings without one byte in return, 9 to 12 s, and the connection counts as lost. OpenSSH's usual advice
 * (10 s x 3) would spend the whole 15 s in which an interrupted install has to run its next command.
 */
const SILENT_TICKS = 3;

/** An unused connection is closed after this long. */
const IDLE_MS = 60_000;

/** The server would not open a channel. */
export class ChannelRefused extends SessionRefused {
  /** As RFC 4254, 5.1: 1 is "administratively prohibited", 2 "connect failed", 4 "resource shortage". */
  readonly reason: number | undefined;

  constructor(error: Error) {
    super(error.message.replace(/^\(SSH\) Channel open failure:\s*/i, ''), { cause: error });
    const { reason } = error as { reason?: unknown };
    this.reason = typeof reason === 'number' ? reason : undefined;
  }
}

export type Open = (client: SshClient, done: (error: Error | undefined, channel: ClientChannel) => void) => void;

/** One established connection by ssh2. It stays usable for its open channels after it was retired. */
export class Ssh2Live implements SeatLive {
  readonly learned = new Map<string, Promise<unknown>>();
  lost: string | undefined;
  /** Channels that are open, or being opened. */
  #channels = 0;
  #isRetired = false;
  #lastError = 'the peer closed it';

  /**
   * @param onLost called once, with the reason, when the connection is gone
   * @param onIdle called before it closes itself for want of use
   */
  constructor(
    readonly client: SshClient,
    readonly user: string,
    private readonly onLost: (why: string) => void,
    private readonly onIdle: () => void,
  ) {
    this.#watch();
  }

  /** Closes it once its last channel is closed. */
  retire(): void {
    this.#isRetired = true;
  }

  /** @throws ChannelRefused when the server says no; Error when the connection is gone, `lost` says why */
  open(open: Open): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      this.#channels += 1;
      const failed = (error: Error): void => {
        this.#channels -= 1;
        reject(/open failure/i.test(error.message) ? new ChannelRefused(error) : error);
      };
      try {
        open(this.client, (error, channel) => {
          if (error) return failed(error);
          channel.once('close', () => {
            this.#channels -= 1;
          });
          // Without a listener an error on a channel would end the process; `close` always follows.
          channel.on('error', () => undefined);
          resolve(channel);
        });
      } catch (error) {
        this.lost ??= messageOf(error);
        failed(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  async end(): Promise<void> {
    if (this.lost !== undefined) return;
    await new Promise<void>((resolve) => {
      // A peer that does not answer must not keep the process alive.
      const timer = setTimeout(() => this.client.destroy(), 500);
      this.client.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.client.end();
    });
  }

  /** Keeps watch: what broke it, whether it still answers, whether anyone still needs it. */
  #watch(): void {
    const { client } = this;
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
        this.#lastError = `nothing was heard for ${(silent * KEEPALIVE_INTERVAL_MS) / 1000} s`;
        client.destroy();
      }
      idleTicks = this.#channels > 0 ? 0 : idleTicks + 1;
      if (this.#channels === 0 && (this.#isRetired || idleTicks * KEEPALIVE_INTERVAL_MS >= IDLE_MS)) {
        this.onIdle();
        client.end();
      }
    }, KEEPALIVE_INTERVAL_MS);
    client.on('error', (error) => {
      this.#lastError = error.message;
    });
    const uncount = countConnection();
    client.once('close', () => {
      uncount();
      clearInterval(timer);
      this.lost = this.#lastError;
      this.onLost(this.lost);
    });
  }
}
