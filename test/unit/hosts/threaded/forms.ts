import { afterAll, afterEach } from 'vitest';
import { Ssh2Pool } from '../../../../src/hosts/connection/ssh2-pool.js';
import { resolveTarget, type Target } from '../../../../src/hosts/connection/target.js';
import { SshThread } from '../../../../src/hosts/connection/threaded/ssh-thread.js';
import type { Connection } from '../../../../src/hosts/connection/types.js';
import { where } from '../served.js';
import { builtThread } from './built.js';

const thread = new SshThread({ url: new URL('./program.js', await builtThread()) });

/** Where connections by ssh2 live, by words for a test's title. Both must behave alike. */
export const FORMS = ['in the calling thread', 'in a thread of their own'] as const;

const pools: { close(): Promise<void> }[] = [];

/** The host of a test's cluster, as the rest of Kubewright sees the way to it. */
export function connectionBy(form: (typeof FORMS)[number], target: Target): Connection {
  const log = (line: string): void => void where.log.push(line);
  const pool = form === 'in the calling thread' ? new Ssh2Pool(log) : thread.pool(log);
  pools.push(pool);
  return pool.connection(target);
}

/** To be called once in a test file. */
export function useForms(): void {
  afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));
  afterAll(() => thread.close());
}

/** The way to the server at this port. */
export function targetOf(...cluster: Parameters<typeof where.cluster>): Target {
  const [host] = where.cluster(...cluster).hosts;
  if (host === undefined) throw new RangeError('a cluster has a host');
  return resolveTarget(host, { env: {}, homeDirectory: where.home });
}
