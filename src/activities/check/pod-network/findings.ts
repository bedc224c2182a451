import type { HealthFinding } from '../../../plan/run.js';
import { type Failing, type Group, grouped, othersIn } from './grouped.js';
import type { Said, Unreached } from './said.js';
import { ANSWER_SECONDS, CONNECT_SECONDS, type WayToFail } from './script.js';

/** What was looked at. */
export interface Asked {
  /** Names of the nodes, in the order of the cluster. */
  nodes: readonly string[];
  peers: ReadonlyMap<string, readonly string[]>;
  /** What the pod network sends between nodes, such as `UDP 8472`; empty where that is not known. */
  ways: string;
  /** How long pods may take to be there. */
  patienceSeconds: number;
}

/** Evidence and hints name so many nodes, or pairs, of those that they are about. */
const NAMED = 3;

/** Why a pod was not reached, as the end of a sentence. */
const WHY: Readonly<Record<WayToFail, string>> = {
  silent: `no connection within ${CONNECT_SECONDS} s`,
  refused: 'the connection is refused',
  broken: 'the connection broke off',
  foreign: 'another pod answers at its address',
  large: `connections begin, and what is larger than a packet gets no answer within ${ANSWER_SECONDS} s: the MTU of the pod network is too large for the way between them`,
};

const LARGE_HINT =
  'Compare `ip link` on these nodes: the pod network’s interfaces have to be smaller than what the network between the nodes carries, by what encapsulation takes (50 bytes for VXLAN). `ping -M do -s SIZE` between the nodes shows what passes.';

const UNSEEN_HINT =
  'A look makes a pod on each node and asks from inside of it: `kubectl -n kube-system get pods -o wide` and `journalctl -u kubelet` on that node say why it cannot.';

const POLICY_HINT =
  'A NetworkPolicy that forbids pods of kube-system to talk to each other also keeps a check from looking. Let pods with the label app.kubernetes.io/managed-by=kubewright reach each other at TCP 8080, to have it looked at.';

/**
 * What the pods have said, as findings: KW687 for what does not reach each other, put together by the node or the pair that explains it,
 * and KW688 for what could not be looked at. Where a NetworkPolicy takes the pods, that they do not reach each other says nothing of
 * the network. Pure.
 */
export function reachFindings(asked: Asked, said: Said): HealthFinding[] {
  return [...unseen(asked, said), ...(said.policies.length > 0 ? forbidden(said) : unreached(asked, said))];
}

function unseen({ patienceSeconds }: Asked, { idle, unasked }: Said): HealthFinding[] {
  const finding = (host: string, evidence: string) => ({ code: 'KW688', host, evidence, hint: UNSEEN_HINT });
  return [
    ...[...idle].map(([host, why]) => {
      const reason = why === '' ? '' : `: ${why}`;
      return finding(
        host,
        `the pod that was to ask and answer on ${host} was not ready within ${patienceSeconds} s${reason}`,
      );
    }),
    ...[...unasked].map(([host, why]) =>
      finding(host, `the pod on ${host} could not be asked whom it reaches: ${why}`),
    ),
  ];
}

function forbidden({ policies, unreached: failing }: Said): HealthFinding[] {
  if (failing.length === 0) return [];
  const [one] = failing as [Unreached, ...Unreached[]];
  const evidence = `whether pods reach each other across nodes is not known: ${some(policies)} (NetworkPolicy of kube-system) may forbid it; the pod on ${one.from} does not reach that on ${one.to}`;
  return [{ code: 'KW688', host: null, evidence, hint: POLICY_HINT }];
}

function unreached(asked: Asked, { idle, unasked, unreached: failing }: Said): HealthFinding[] {
  const isSeen = (node: string): boolean => !idle.has(node);
  const pairs = [...asked.peers].flatMap(([from, others]) =>
    unasked.has(from) || !isSeen(from) ? [] : others.filter(isSeen).map((to) => ({ from, to })),
  );
  const nodes = asked.nodes.filter(isSeen);
  // In the order of the cluster, whoever has answered first: what is found again has to read the same.
  const place = ({ from, to }: Failing): number => nodes.indexOf(from) * nodes.length + nodes.indexOf(to);
  const inOrder = [...failing].sort((one, other) => place(one) - place(other));
  // Two faults, with two remedies: one cannot explain the other.
  const [large, other] = [inOrder.filter(isLarge), inOrder.filter((each) => !isLarge(each))];
  return [
    ...grouped(nodes, pairs, other).map((group) => finding(group, hintFor(asked))),
    ...grouped(nodes, pairs, large).map((group) => finding(group, LARGE_HINT)),
  ];
}

function isLarge({ how }: Unreached): boolean {
  return how === 'large';
}

function finding(group: Group<Unreached>, hint: string): HealthFinding {
  const ways = [...new Set(group.failing.map(({ how }) => WHY[how]))];
  return { code: 'KW687', host: group.node, evidence: `${sentence(group)}: ${ways.join('; ')}`, hint };
}

function sentence({ node, isWhole, failing }: Group): string {
  if (node === null) {
    if (isWhole) return 'no node’s pods reach those of another node';
    return some(pairsIn(failing));
  }
  const others = othersIn(failing, node);
  if (isWhole)
    return `pods on ${node} and those on all ${others.length} other nodes that were asked do not reach each other`;
  if (failing.every(({ from }) => from === node)) return `pods on ${node} do not reach those on ${some(others)}`;
  if (failing.every(({ to }) => to === node)) return `pods on ${node} are not reached by those on ${some(others)}`;
  return `pods on ${node} and those on ${some(others)} do not reach each other`;
}

/** Each pair once, whether both directions fail or one. */
function pairsIn(failing: readonly Failing[]): string[] {
  const isThere = (from: string, to: string) => failing.some((pair) => pair.from === from && pair.to === to);
  return failing.flatMap(({ from, to }, at) => {
    if (!isThere(to, from)) return [`pods on ${from} do not reach those on ${to}`];
    const isFirst = failing.findIndex((pair) => pair.from === to && pair.to === from) > at;
    return isFirst ? [`pods on ${from} and those on ${to} do not reach each other`] : [];
  });
}

function some(words: readonly string[]): string {
  const more = words.length - NAMED;
  return more > 0 ? `${words.slice(0, NAMED).join(', ')} and ${more} more` : words.join(', ');
}

function hintFor({ ways }: Asked): string {
  const needs = ways === '' ? '' : ` The pod network needs ${ways} between all nodes.`;
  return `Look for a firewall between these nodes, and for routes and tunnels that lead astray: \`ip route\`, \`ip -d link\`, \`bridge fdb\`.${needs} A policy of the network’s own kind may forbid it, too.`;
}
