/**
 * Fake hosts in a process of their own: they speak real SSH and only play what the steps' scripts ask of them. Started by
 * `startFakeHosts`, with which it talks by messages.
 */
import type { Cluster } from '../../../src/cluster/types.js';
import { FakeCluster } from './cluster.js';
import { FakeHost } from './host.js';
import { type FakeKeys, listen, listenInSilence } from './server.js';

/** What the process is told at first. */
export interface FakeOrders {
  cluster: Cluster;
  keys: FakeKeys;
  /** What all times are multiplied by. */
  pace: number;
  /** Names of hosts that never say a word. */
  silent: string[];
}

/** What it is told later: every installation of packages fails with this output from now on; null: none does. A message holds no undefined. */
export interface FaultOrder {
  fault: string | null;
}

/** What it tells. */
export type FakeWord = { ports: Record<string, number> } | { unknown: string[] } | { failed: string };

const say = (word: FakeWord): void => void process.send?.(word);

let cluster: FakeCluster | undefined;

async function begin({ cluster: config, keys, pace, silent }: FakeOrders): Promise<void> {
  const fakes = new FakeCluster(config, pace);
  cluster = fakes;
  const ports: Record<string, number> = {};
  for (const [number, each] of config.hosts.entries()) {
    const host = new FakeHost(fakes, each, number);
    fakes.hosts.set(host.name, host);
    ports[host.name] = await (silent.includes(host.name) ? listenInSilence() : listen(host, keys));
  }
  say({ ports });
}

process.on('message', (order: FakeOrders | FaultOrder | 'unknown') => {
  if (order === 'unknown') say({ unknown: cluster?.unknown ?? [] });
  else if ('fault' in order && cluster !== undefined) cluster.fault = order.fault ?? undefined;
  else if ('cluster' in order) begin(order).catch((error: unknown) => say({ failed: String(error) }));
});
// Without whoever started it nobody needs it.
process.on('disconnect', () => process.exit());
