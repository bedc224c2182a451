import { Ssh2Connection } from './connection.js';
import type { Hop } from './hop.js';
import type { Target } from './target.js';
import type { Connection } from './types.js';

/** Where the connections by ssh2 come from: this thread, or one of their own (`threaded`). */
export interface Ssh2Connections {
  /** The way to a target: always the same object for the same hops. */
  connection(target: Target): Connection;
  close(): Promise<void>;
}

/** Connections by ssh2 in this thread: one a hop, bastions shared by the hosts behind them. */
export class Ssh2Pool implements Ssh2Connections {
  readonly #connections = new Map<string, Ssh2Connection>();

  constructor(private readonly log: (line: string) => void) {}

  connection(target: Target): Ssh2Connection {
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
