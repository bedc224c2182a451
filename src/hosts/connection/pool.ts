import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { Ssh2Connection } from './connection.js';
import type { Hop, Surroundings } from './hop.js';
import { OpensshPool } from './openssh/pool.js';
import { resolveTarget, type Target } from './target.js';
import type { Connection } from './types.js';

/** Every connection of this process: one a hop, bastions shared by the hosts behind them. */
export class ConnectionPool {
  readonly #connections = new Map<string, Ssh2Connection>();
  readonly #openssh: OpensshPool;

  constructor(
    private readonly cluster: Cluster,
    private readonly surroundings: Surroundings,
    private readonly log: (line: string) => void,
  ) {
    this.#openssh = new OpensshPool(surroundings, log);
  }

  /** By the client that the host's `ssh.client` names. @throws KubewrightError KW240 for an SSH configuration */
  connectionTo(host: ClusterHost): Connection {
    if (host.ssh.client === 'openssh') return this.#openssh.connection(host);
    return this.connection(resolveTarget(host, this.surroundings));
  }

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
    await this.#openssh.close();
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
