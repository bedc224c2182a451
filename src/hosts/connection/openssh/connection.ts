import { isKubewrightError, messageOf } from '../../../errors.js';
import { hostError } from '../../errors.js';
import { abortable } from '../abort.js';
import { connectionLost } from '../connection.js';
import { countConnection } from '../open.js';
import { Seats } from '../seats.js';
import type { Connection, Live } from '../types.js';
import type { OpensshChannel } from './channel.js';
import type { OpensshClient } from './client.js';
import { OpensshLive } from './live.js';
import { Master } from './master.js';
import { destinationArgs, masterArgs, proxyCommandThrough } from './options.js';
import type { Hop } from './way.js';

/** Connections to one hop by the system's own `ssh`: one, unless the server allows few sessions on each. */
export class OpensshConnection implements Connection {
  readonly #seats: Seats<OpensshLive>;
  readonly #end = new AbortController();
  /** Those that stand; retired ones, which go on for their open channels, too. */
  readonly #standing = new Set<OpensshLive>();

  constructor(
    readonly hop: Hop,
    readonly host: string,
    private readonly via: OpensshConnection | undefined,
    private readonly client: OpensshClient,
    private readonly log: (line: string) => void,
  ) {
    this.#seats = new Seats(host, hop.label, (gone) => this.#dial(gone), log);
  }

  get label(): string {
    return this.hop.label;
  }

  async exec(command: string, signal?: AbortSignal): Promise<{ channel: OpensshChannel; live: Live }> {
    return await this.#seats.session(
      (live) => live.open(command, signal),
      (live, error) => (isKubewrightError(error) ? error : connectionLost(this, live.lost ?? messageOf(error))),
      signal,
    );
  }

  async ready(signal?: AbortSignal): Promise<OpensshLive> {
    signal?.throwIfAborted();
    return await abortable(this.#seats.first().seat.pending, signal);
  }

  async close(): Promise<void> {
    this.#end.abort(hostError('connectionLost', 'the connection was closed by Kubewright', { host: this.host }));
    await this.#seats.close();
    await Promise.all([...this.#standing].map((live) => live.end()));
  }

  async #dial(gone: () => void): Promise<OpensshLive> {
    const { via, hop, host } = this;
    const { signal } = this.#end;
    signal.throwIfAborted();
    const bastion = await via?.ready(signal);
    // The connection through a bastion is no session there, and keeps the bastion's own in use.
    const release = bastion?.hold() ?? (() => undefined);
    try {
      const through = bastion && via ? proxyCommandThrough(bastion.master.control, via.hop) : undefined;
      const { keeper, ...prepared } = await this.client.prepare(hop, host, through, signal);
      const { version, configFile, at, env } = prepared;
      const control = keeper.socket();
      const master = await Master.start(
        {
          hop,
          host,
          at,
          via: via?.label,
          args: [...masterArgs(control, version), ...destinationArgs(hop, configFile, through), '--', hop.destination],
          control,
          env,
          heardBefore: bastion?.master.listen() ?? (() => ''),
          dismissal: signal,
        },
        keeper,
      );
      const live = new OpensshLive(master, { keeper, ...prepared }, hop, host, gone);
      this.#standing.add(live);
      const uncount = countConnection();
      void master.gone.then(() => {
        uncount();
        release();
        this.#standing.delete(live);
        this.log(`${host}: connection closed (${master.lost})`);
      });
      return live;
    } catch (error) {
      release();
      throw error;
    }
  }
}
