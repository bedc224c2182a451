import { expect, test } from 'vitest';
import type { LabHost } from '../../../lab/hosts/index.js';
import { check, told } from './health.js';
import type { Installed } from './installed.js';

/** A chain of the test's own, for what comes to a host through flannel's tunnel. Hosts that reach no mirror have iptables and no nft. */
const CHAIN = 'KUBEWRIGHT-TEST';
const VXLAN_PORT = 8472;

/** More than an acknowledgement takes in the tunnel, and less than any full packet. */
const NARROW_BYTES = 1_000;

/** Drops what comes through the tunnel from another host, all of it or what matches `only`. */
async function drop(on: LabHost, from: LabHost, only = ''): Promise<void> {
  await on.exec(`iptables -w 10 -N ${CHAIN}
iptables -w 10 -A ${CHAIN} -s ${from.address} -p udp --dport ${VXLAN_PORT} ${only} -j DROP
iptables -w 10 -I INPUT 1 -j ${CHAIN}`);
}

async function undo(on: LabHost): Promise<void> {
  const script = `iptables -w 10 -D INPUT -j ${CHAIN}; iptables -w 10 -F ${CHAIN}; iptables -w 10 -X ${CHAIN}`;
  await on.exec(script, { allowFailure: true });
}

/** A check names the two workers between which a tunnel carries nothing, or no large packets; all else of the cluster is well. */
export function expectTunnelFaultsFound(get: () => Installed): void {
  const workers = (): [LabHost, LabHost] => [get().lab.host('w-1'), get().lab.host('w-2')];

  async function network(): Promise<string> {
    const { findings } = await check(get());
    return told(findings.filter(({ code }) => code === 'KW687' || code === 'KW688'));
  }

  test.each([
    ['nothing', '', /^KW687 cluster: pods on w-1 and those on w-2 do not reach each other: no connection within/],
    [
      'no large packets',
      `-m length --length ${NARROW_BYTES}:65535`,
      /^KW687 cluster: pods on w-1 and those on w-2 do not reach each other: connections begin, and .* MTU/,
    ],
  ])(
    'a check names two workers whose tunnel carries %s, and is content once it does again',
    async (_, only, evidence) => {
      const [one, other] = workers();
      expect(await network()).toBe('');
      try {
        await drop(one, other, only);
        await drop(other, one, only);
        expect(await network()).toMatch(evidence);
      } finally {
        await Promise.all([undo(one), undo(other)]);
      }
      await expect.poll(network, { timeout: 180_000, interval: 2_000 }).toBe('');
      const left = ['-n', 'kube-system', 'get', 'pods', '-l', 'kubewright.dev/pod-network-check', '-o', 'name'];
      expect(await get().kubectl(left)).toBe('');
    },
    400_000,
  );
}
