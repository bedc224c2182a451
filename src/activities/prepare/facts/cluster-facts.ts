import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { OWNER_PATH, parseOwner } from '../../../render/owner.js';
import { gatherFacts } from '../../remote-facts.js';
import type { CardAddress } from './host-facts.js';
import { CERTIFICATE_DIGEST } from './script.js';

/** What can only be judged by comparing hosts with each other. */
export interface PeerFacts {
  name: string;
  hostname: string;
  machineId: string;
  addresses: CardAddress[];
  /** Whether it bears this cluster's ownership record. */
  ours: boolean;
  /** `sha256:…` of its cluster CA, or undefined. */
  caFingerprint: string | undefined;
  clock: Clock;
}

export interface Clock {
  /** Seconds that the host's clock is ahead of the worker's. */
  offset: number;
  /** Half of the round trip: the offset is known no better than this. Seconds. */
  uncertainty: number;
}

/** Asks one host who it is. What it does not answer is empty, and a clock that is no number is NaN. */
export async function gatherPeerFacts(
  cluster: Cluster,
  host: ClusterHost,
  remote: RemoteHost,
  signal: AbortSignal,
): Promise<PeerFacts> {
  const clock = await readClock(remote, signal);
  const facts = await gatherFacts(remote, PEER_SCRIPT, signal);
  const certificate = facts.text('ca');
  return {
    name: host.name,
    hostname: facts.text('hostname'),
    machineId: facts.text('machine-id'),
    addresses: parseAddresses(facts.text('addresses')),
    ours: parseOwner(facts.text('owner'))?.cluster === cluster.name,
    caFingerprint: certificate === '' ? undefined : `sha256:${certificate}`,
    clock,
  };
}

/** The better of two looks at the clock: the first one may have paid for making the connection. */
async function readClock(remote: RemoteHost, signal: AbortSignal): Promise<Clock> {
  const looks: Clock[] = [];
  for (let look = 0; look < 2; look++) {
    const before = Date.now() / 1_000;
    const { stdout } = await remote.run('date +%s.%N\n', { signal });
    const after = Date.now() / 1_000;
    const told = /^\d+\.\d+$/.test(stdout.trim()) ? Number(stdout) : Number.NaN;
    looks.push({ offset: told - (before + after) / 2, uncertainty: (after - before) / 2 });
  }
  return looks.reduce((best, look) => (look.uncertainty < best.uncertainty ? look : best));
}

const PEER_SCRIPT = `${CERTIFICATE_DIGEST}
addresses() {
  ip -o -4 address show | while read -r _ card _ address _; do
    card=\${card%%@*}
    printf '%s %s %s\\n' "$card" "$address" "$(cat "/sys/class/net/$card/address")"
  done
}
ca() { [ -e /etc/kubernetes/pki/ca.crt ] && certificate_digest /etc/kubernetes/pki/ca.crt; }
fact hostname cat /proc/sys/kernel/hostname
fact machine-id cat /etc/machine-id
fact addresses addresses
fact owner cat ${OWNER_PATH}
fact ca ca`;

function parseAddresses(text: string): CardAddress[] {
  return text.split('\n').map((line) => {
    const [card = '', cidr = '', mac = ''] = line.split(' ');
    const [address = '', prefixLength] = cidr.split('/');
    return { card, address, prefixLength: Number(prefixLength ?? 32), mac };
  });
}
