import type { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { isKubewrightError, messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import { abortable } from './abort.js';
import { dial } from './dial.js';
import type { Hop } from './hop.js';
import { ChannelRefused, type Open, Ssh2Live } from './live.js';
import { Seats } from './seats.js';
import type { Connection } from './types.js';

/** Connections to one hop by the library ssh2: one, unless the server allows few sessions on each. */
export class Ssh2Connection implements Connection {
  readonly #seats: Seats<Ssh2Live>;
  #closed = false;

  constructor(
    readonly hop: Hop,
    /** Name of the host in `cluster.yaml`, for messages. */
    readonly host: string,
    /** The connection to the bastion before this hop. */
    private readonly via: Ssh2Connection | undefined,
    private readonly log: (line: string) => void,
  ) {
    this.#seats = new Seats(host, hop.label, (gone) => this.#dial(gone), log);
  }

  get label(): string {
    return this.hop.label;
  }

  async exec(command: string, signal?: AbortSignal): Promise<{ channel: ClientChannel; live: Ssh2Live }> {
    return await this.#seats.session(
      (live) => live.open((client, done) => client.exec(command, done)),
      (live, error) => this.#channelError(live, error),
      signal,
    );
  }

  /** A stream through this connection to another machine. It does not count as a session. */
  async forward(address: string, port: number): Promise<Duplex> {
    const open: Open = (client, done) => client.forwardOut('127.0.0.1', 0, address, port, done);
    const { seat, isNew } = this.#seats.first();
    const live = await seat.pending;
    try {
      return await live.open(open);
    } catch (error) {
      if (isNew || live.lost === undefined) throw this.#forwardError(live, error);
      this.#seats.drop(seat);
    }
    const again = await this.#seats.first().seat.pending;
    return again.open(open).catch((error: unknown) => Promise.reject(this.#forwardError(again, error)));
  }

  async ready(signal?: AbortSignal): Promise<Ssh2Live> {
    signal?.throwIfAborted();
    return await abortable(this.#seats.first().seat.pending, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#seats.close();
  }

  async #dial(gone: () => void): Promise<Ssh2Live> {
    const via = this.via ? await this.#forwarded(this.via) : undefined;
    const client = await dial(this.hop, this.host, via);
    if (this.#closed) {
      client.end();
      throw hostError('connectionLost', 'the connection was closed by Kubewright', { host: this.host });
    }
    const onLost = (why: string): void => {
      gone();
      this.log(`${this.host}: connection closed (${why})`);
    };
    return new Ssh2Live(client, this.hop.user, onLost, gone);
  }

  async #forwarded(via: Ssh2Connection): Promise<Duplex> {
    try {
      return await via.forward(this.hop.address, this.hop.port);
    } catch (error) {
      if (!(error instanceof ChannelRefused)) throw error;
      const place = `${this.hop.label} at ${this.hop.address} port ${this.hop.port}`;
      const facts = { host: this.host, cause: error };
      if (error.reason === PROHIBITED) {
        throw hostError('forwardingProhibited', `${via.label} may not forward to ${place}: ${error.message}`, {
          ...facts,
          hint: 'Allow it there: AllowTcpForwarding, PermitOpen and DisableForwarding in its sshd_config, or the options of the key in authorized_keys.',
        });
      }
      throw hostError('refused', `${via.label} cannot reach ${place}: ${error.message}`, {
        ...facts,
        hint: 'It goes on by itself once the host answers there: is it up, and does the bastion reach it?',
      });
    }
  }

  #forwardError(live: Ssh2Live, error: unknown): unknown {
    return error instanceof ChannelRefused ? error : connectionLost(this, live.lost ?? messageOf(error));
  }

  #channelError(live: Ssh2Live, error: unknown): unknown {
    if (isKubewrightError(error)) return error;
    if (/Unable to exec/i.test(messageOf(error))) {
      return hostError('shellUnusable', `${this.label} does not let user ${this.hop.user} run commands`, {
        host: this.host,
        hint: 'Look for ForceCommand, a restricted key or a nologin shell there.',
        cause: error,
      });
    }
    return connectionLost(this, live.lost ?? messageOf(error));
  }
}

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED: https://www.rfc-editor.org/rfc/rfc4254#section-5.1 */
const PROHIBITED = 1;

/** The connection went away below a command, whose end is therefore not known. */
export function connectionLost({ label, host }: Pick<Connection, 'label' | 'host'>, why: string): Error {
  return hostError('connectionLost', `the connection to ${label} was lost: ${why}`, { host });
}
