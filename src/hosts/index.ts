import type { Cluster } from '../cluster/types.js';
import { ConnectionPool } from './connection/pool.js';
import { sudoPassword } from './connection/privilege.js';
import { Ssh2Pool } from './connection/ssh2-pool.js';
import type { SshThread } from './connection/threaded/ssh-thread.js';
import { hostError } from './errors.js';
import { SshHost } from './host.js';
import type { Hosts, RemoteHost } from './types.js';

export { makeSshThread, type SshThread } from './connection/threaded/ssh-thread.js';
export { RemoteCommandError } from './errors.js';
export { redact, registerSecret } from './redact.js';
export { quote } from './shell.js';
export type * from './types.js';

export interface HostsOptions {
  /** Environment of the worker: `$SSH_AUTH_SOCK`, and the variables that hold sudo passwords. */
  env: NodeJS.ProcessEnv;
  /** Absolute; what `~` means in `cluster.yaml` and `~/.ssh/config`. */
  homeDirectory: string;
  /** One line at a time, without secrets, for the worker's log. */
  log?: (line: string) => void;
  /**
   * Where the connections by ssh2 live; in the calling thread by default, which is quicker for who runs a few commands and
   * ends. It outlives the hosts: whoever made it closes it, behind them.
   */
  thread?: SshThread;
}

/**
 * The hosts of a cluster, each connected to when it is first used. Nothing is read or dialled before.
 *
 * `get` throws KubewrightError KW200 for a name that the cluster does not have, KW240 for an SSH configuration that
 * cannot be honoured; see `RemoteHost` for what its functions throw.
 */
export function createHosts(cluster: Pick<Cluster, 'name' | 'hosts'>, options: HostsOptions): Hosts {
  const { thread, log = () => undefined } = options;
  const pool = new ConnectionPool(options, thread?.pool(log) ?? new Ssh2Pool(log), log);
  const made = new Map<string, RemoteHost>();
  const make = (name: string): RemoteHost => {
    const host = cluster.hosts.find((each) => each.name === name);
    if (host === undefined) {
      throw hostError('unknownHost', `the cluster ${cluster.name} has no host of this name`, { host: name });
    }
    const variable = host.ssh.sudoPasswordEnv;
    const sudo = { variable, password: sudoPassword(options.env, variable) };
    return new SshHost(name, host.address, pool.connectionTo(host), sudo);
  };
  return {
    get(name) {
      const host = made.get(name) ?? make(name);
      made.set(name, host);
      return host;
    },
    close: () => pool.close(),
  };
}
