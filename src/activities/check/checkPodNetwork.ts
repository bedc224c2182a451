import { randomBytes } from 'node:crypto';
import type { Cluster } from '../../cluster/types.js';
import { podNetworkOf } from '../../components/registry/plan.js';
import { requireYes, unknown } from '../answers.js';
import { checkImageFor } from '../verify/dns-from-pods.js';
import { nodesOf } from '../verify/verifyNodes.js';
import { type Look, lookOnly } from './look-only.js';
import { reachFindings } from './pod-network/findings.js';
import { peersOf } from './pod-network/peers.js';
import { podLabels, renderReachPods } from './pod-network/pods.js';
import { readSaid } from './pod-network/said.js';
import { reachInput, reachScript } from './pod-network/script.js';
import { readyNodes } from './ready-nodes.js';

/** For pods whose image is on the node. */
const PATIENCE_SECONDS = 45;
/** Beyond that: calls of the API that are made again, pods that ask, and those that do not go at once. */
const SPARE_SECONDS = 120;

const HINT = 'What keeps nodes or control planes from being ready is told by findings of their own.';

/**
 * Pods on each node that is Ready reach those on others, by their own addresses and with packets of full size: a tunnel between two
 * nodes may be broken while DNS and the API answer on both.
 */
export const checkPodNetwork = lookOnly(async (context) => {
  const ready = await readyNodes(context);
  if ('why' in ready) return blind(ready.why);
  const { via, nodes } = ready;
  if (nodes.length === 1) {
    if (nodesOf(context.cluster).length > 1) return blind(`only ${nodes[0]?.name} is as it should be`);
    return { findings: [], found: 'there is one node: its pods have no others to reach' };
  }
  const image = await checkImageFor(context, via);
  context.progress(`having pods on ${nodes.length} nodes reach each other`);
  const check = `pods-${randomBytes(4).toString('hex')}`;
  const names = nodes.map(({ name }) => name);
  const peers = peersOf(names);
  const result = await via.remote.run(
    reachScript({ kubectl: via.kubectl, check, pods: nodes.length, patienceSeconds: PATIENCE_SECONDS }),
    {
      input: reachInput(peers, renderReachPods(nodes, image, check)),
      signal: context.signal,
      allowFailure: true,
      timeoutMs: (PATIENCE_SECONDS + SPARE_SECONDS) * 1_000,
    },
  );
  if (result.exitCode !== 0) {
    const why = result.stderr.trim().split('\n').at(-1) ?? '';
    requireYes(unknown(why), 'whether pods reach each other across nodes', via.host.name);
  }
  const said = readSaid(result.stdout, podLabels(check));
  const asked = { nodes: names, peers, ways: waysOf(context.cluster), patienceSeconds: PATIENCE_SECONDS };
  return {
    findings: reachFindings(asked, said),
    found: `pods on ${nodes.length} nodes reach each other, with large packets, too`,
  };
});

function blind(why: string): Look {
  const evidence = `whether pods reach each other across nodes was not asked: ${why}`;
  return { findings: [{ code: 'KW688', host: null, evidence, hint: HINT }], found: '' };
}

/** Such as `UDP 8472`; empty for a network that only its maker knows. */
function waysOf(cluster: Cluster): string {
  const ways = podNetworkOf(cluster).flows(cluster);
  const names = ways.map((way) => (way.protocol === 'vrrp' ? 'VRRP' : `${way.protocol.toUpperCase()} ${way.port}`));
  return [...new Set(names)].join(' and ');
}
