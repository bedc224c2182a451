import type { Cluster } from '../../cluster/types.js';
import { Ssh2Connection } from './connection.js';
import type { Hop, Surroundings } from './hop.js';
import { resolveTarget, type Target } from './target.js';
import type { Connection } from './types.js';

/** Every connection of this process: one a hop, bastions shared by the hosts behind them. */
export class ConnectionPool {
  readonly #connections = new Map<string, Ssh2Connection>();

  constructor(
    private readonly cluster: Cluster,
    private readonly surroundings: Surroundings,
    private readonly log: (line: string) => void,
  ) {}

  /** @throws KubewrightError KW240 when `~/.ssh/config` cannot be honoured */
  target(name: string): Target | undefined {
    const host = this.cluster.hosts.find((each) => each.name === name);
    return host && resolveTarget(host, this.surroundings);
  }

  connection(target: Target): Connection {
    const [first, ...rest] = target.hops;
    if (first === undefined) throw new RangeError('a target has at least one hop');
    return rest.reduce(
      (via, hop, index) => this.#take(target, target.hops.slice(0, index + 2), hop, via),
      this.#take(target, [first], first),
    );
  }

  async close(): Promise<void> {
    // Hosts before their bastions: Map keeps the order of making, and a bastion is made first.
    for (const connection of [...this.#connections.values()].reverse()) await connection.close();
    this.#connections.clear();
  }

  #take(target: Target, way: Hop[], hop: Hop, via?: Ssh2Connection): Ssh2Connection {
    const key = JSON.stringify(way);
    const known = this.#connections.get(key);
    if (known) return known;
    const made = new Ssh2Connection(hop, target.host, via, this.log);
    this.#connections.set(key, made);
    return made;
  }
}
