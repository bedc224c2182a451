import type { ClusterHost } from '../../../cluster/types.js';
import type { Connection } from '../types.js';
import { OpensshClient } from './client.js';
import { OpensshConnection } from './connection.js';
import { type Hop, wayTo } from './way.js';

/** Connections by the system's `ssh`: one a hop, bastions of `cluster.yaml` shared by the hosts behind them. */
export class OpensshPool {
  readonly #client: OpensshClient;
  readonly #connections = new Map<string, OpensshConnection>();

  constructor(
    private readonly surroundings: { env: NodeJS.ProcessEnv; homeDirectory: string },
    private readonly log: (line: string) => void,
  ) {
    this.#client = new OpensshClient(surroundings.env, log);
  }

  /** @throws KubewrightError KW240 for a value that cannot be handed to `ssh` */
  connection(host: ClusterHost): Connection {
    const way = wayTo(host, this.surroundings.homeDirectory);
    const last = way.at(-1);
    if (last === undefined) throw new RangeError('a way has at least one hop');
    const [bastion] = way.slice(0, -1);
    return this.#take(host.name, last, bastion && this.#take(host.name, bastion));
  }

  async close(): Promise<void> {
    // Hosts before their bastions: Map keeps the order of making, and a bastion is made first.
    for (const connection of [...this.#connections.values()].reverse()) await connection.close();
    this.#connections.clear();
    this.#client.close();
  }

  #take(host: string, hop: Hop, via?: OpensshConnection): OpensshConnection {
    const key = JSON.stringify([via?.hop, hop]);
    const known = this.#connections.get(key);
    if (known) return known;
    const made = new OpensshConnection(hop, host, via, this.#client, this.log);
    this.#connections.set(key, made);
    return made;
  }
}
