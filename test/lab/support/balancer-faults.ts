import { expect, test } from 'vitest';
import { check, told } from './health.js';
import type { Installed } from './installed.js';

/** A chain of the test's own. Hosts that reach no mirror have iptables and no nft. */
const CHAIN = 'KUBEWRIGHT-TEST';
const API_SERVER_PORT = 6443;

/** A check names the balancer that leads past an API server which is ready, while nobody else notices anything. */
export function expectBalancerFaultFound(get: () => Installed): void {
  test('a check names a balancer that leads past an API server, and is content once it leads there again', async () => {
    const cluster = get();
    const endpoint = async () => told((await check(cluster)).findings.filter(({ code }) => code === 'KW482'));
    const [server, , balancer] = cluster.controlPlanes();
    if (server === undefined || balancer === undefined) throw new Error('there are no three control planes');
    expect(await endpoint()).toBe('');
    try {
      await balancer.exec(`iptables -w 10 -N ${CHAIN}
iptables -w 10 -A ${CHAIN} -d ${server.address} -p tcp --dport ${API_SERVER_PORT} -j DROP
iptables -w 10 -I OUTPUT 1 -j ${CHAIN}`);
      // HAProxy takes a server for lost after three checks of half a second each.
      await expect
        .poll(endpoint, { timeout: 60_000, interval: 1_000 })
        .toMatch(
          new RegExp(
            `^KW482 cluster: HAProxy of ${balancer.name} does not lead to ${server.name} \\(L4\\w+\\), though`,
          ),
        );
    } finally {
      const undo = `iptables -w 10 -D OUTPUT -j ${CHAIN}; iptables -w 10 -F ${CHAIN}; iptables -w 10 -X ${CHAIN}`;
      await balancer.exec(undo, { allowFailure: true });
    }
    await expect.poll(endpoint, { timeout: 60_000, interval: 1_000 }).toBe('');
  }, 300_000);
}
