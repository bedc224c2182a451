import type { HealthFinding } from '../../plan/run.js';
import { askFromPods } from '../verify/dns-from-pods.js';
import { lookOnly } from './look-only.js';
import { readyNodes } from './ready-nodes.js';

/** A label of its own: no other look takes these pods for left over. */
const KEY = 'kubewright.dev/outside-names-check';
const PATIENCE_SECONDS = 45;

const HINT =
  'CoreDNS asks the name servers of the host that it runs on: see `kubectl -n kube-system logs -l k8s-app=kube-dns`, /etc/resolv.conf of those hosts, and whether they reach the servers named there. A name that was given up comes out of health.outsideNames.';
const BLIND_HINT = 'What keeps nodes or control planes from being ready is told by findings of their own.';

/** Asks for each name as it stands, both kinds of addresses, and says on standard error which one has none. Lines with `;` are dig's remarks. */
const RESOLVE = `for name; do
  said=$(dig +short +time=3 +tries=2 "$name." A "$name." AAAA 2>&1 | grep -v '^;')
  [ -n "$said" ] || { echo "$name is not resolved" >&2; exit 1; }
done`;

/**
 * Names outside of the cluster that the file names are resolved in a pod on each node that is Ready: through CoreDNS and the name servers
 * of its hosts, which the cluster's own names never need.
 */
export const checkOutsideNames = lookOnly(async (context) => {
  const names = context.cluster.health?.outsideNames ?? [];
  const ready = await readyNodes(context);
  if ('why' in ready) {
    const evidence = `names outside of the cluster were not asked for from pods: ${ready.why}`;
    return { findings: [{ code: 'KW602', host: null, evidence, hint: BLIND_HINT }], found: '' };
  }
  const { via, nodes } = ready;
  const command = ['/bin/sh', '-c', RESOLVE, 'sh', ...names];
  const silent = await askFromPods(context, via, { nodes, patienceSeconds: PATIENCE_SECONDS, key: KEY, command });
  if (silent === undefined) return { findings: [], found: `${names.join(', ')} are resolved on ${nodes.length} nodes` };
  const unresolved = names.filter((name) => silent.output.includes(`${name} is not resolved`));
  const what = unresolved.length > 0 ? unresolved.join(', ') : names.join(', ');
  const finding = (host: string | null): HealthFinding => ({
    code: 'KW689',
    host,
    evidence: `${what} ${host === null ? 'cannot be resolved from pods' : `is not resolved in a pod on ${host}`}: ${lastLine(silent.output)}`,
    hint: HINT,
  });
  // Where it is so on every node, it is no matter of any of them. None is named where CoreDNS itself is not there.
  const isEverywhere = silent.nodes.length === 0 || (nodes.length > 1 && silent.nodes.length === nodes.length);
  return { findings: isEverywhere ? [finding(null)] : silent.nodes.map(finding), found: '' };
});

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
