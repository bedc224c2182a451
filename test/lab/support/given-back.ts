import { expect, test } from 'vitest';
import { until } from '../../../lab/hosts/machine/run.js';
import { hostState, unexplained } from './host-state.js';
import type { Installed } from './installed.js';

/** What each host was, by its name (`hostState`). */
export type HostStates = ReadonlyMap<string, string[]>;

/** What each host was before the first install, taken from outside. */
export async function statesOf(cluster: Installed): Promise<HostStates> {
  const states = cluster.lab.hosts.map(async (host) => [host.name, await hostState(host)] as const);
  return new Map(await Promise.all(states));
}

/** Looks for half a minute: a unit that was told to stop, and a link that was deleted, may take a moment. */
export async function expectAsBefore(
  cluster: Installed,
  before: HostStates,
  names: string[] = [...before.keys()],
): Promise<void> {
  for (const name of names) {
    const host = cluster.lab.host(name);
    let open: string[] = [];
    await until(async () => {
      open = unexplained(before.get(name) ?? [], await hostState(host));
      return open.length === 0;
    }, 30_000);
    expect({ name, open }).toEqual({ name, open: [] });
  }
}

/** Resets the cluster, with further options of the command. */
export const reset = (cluster: Installed, ...more: string[]) =>
  cluster.kubewright(['reset', cluster.lab.files.clusterFile, '--yes-reset', cluster.lab.name, ...more]);

/**
 * The last test of a file: the hosts are given back, whatever the tests before have done to them.
 *
 * @param installed the cluster, and what its hosts were before the install (`statesOf`)
 */
export function expectGivenBack(installed: () => { cluster: Installed; before: HostStates }): void {
  test('a reset gives its hosts back as they were', async () => {
    const { cluster, before } = installed();
    const began = Date.now();
    await reset(cluster);
    console.log(`${cluster.lab.name}: reset in ${Math.round((Date.now() - began) / 1000)} s`);
    await expectAsBefore(cluster, before);
  });
}
