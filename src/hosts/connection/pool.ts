import type { ClusterHost } from '../../cluster/types.js';
import type { Surroundings } from './hop.js';
import { OpensshPool } from './openssh/pool.js';
import type { Ssh2Connections } from './ssh2-pool.js';
import { resolveTarget } from './target.js';
import type { Connection } from './types.js';

/** Every connection to the hosts of a cluster, by either client. */
export class ConnectionPool {
  readonly #openssh: OpensshPool;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly ssh2: Ssh2Connections,
    log: (line: string) => void,
  ) {
    this.#openssh = new OpensshPool(surroundings, log);
  }

  /** By the client that the host's `ssh.client` names. @throws KubewrightError KW240 for an SSH configuration */
  connectionTo(host: ClusterHost): Connection {
    if (host.ssh.client === 'openssh') return this.#openssh.connection(host);
    return this.ssh2.connection(resolveTarget(host, this.surroundings));
  }

  async close(): Promise<void> {
    await this.ssh2.close();
    await this.#openssh.close();
  }
}
