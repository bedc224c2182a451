import type { HealthFinding } from '../../plan/run.js';
import { askFromPods, type SilentPods } from '../verify/dns-from-pods.js';
import { coreDnsFindings } from './core-dns.js';
import { lookOnly } from './look-only.js';
import { readyNodes } from './ready-nodes.js';

/** A label of its own, so that neither this check nor an install takes the other's pods for left over. */
const KEY = 'kubewright.dev/health-check';
/** CoreDNS is there and the image is on the node: what takes longer is wrong. */
const PATIENCE_SECONDS = 45;
const HINT = 'Look at kube-proxy, the pod network and CoreDNS with `kubectl get pods --all-namespaces -o wide`.';

const SCHEDULER_HINT =
  'Look at kube-scheduler (`kubectl -n kube-system get pods -l component=kube-scheduler -o wide`, then its log): without one no new pod starts.';

/**
 * DNS answers to a pod on each node that is Ready, from CoreDNS on two hosts, and one pod more is scheduled; the other nodes are findings
 * of their own.
 */
export const checkDns = lookOnly(async (context) => {
  const ready = await readyNodes(context);
  if ('why' in ready) {
    const evidence = `DNS was not asked from pods: ${ready.why}`;
    return { findings: [{ code: 'KW602', host: null, evidence, hint: HINT }], found: '' };
  }
  const { via, nodes } = ready;
  const silent = await askFromPods(context, via, {
    nodes,
    patienceSeconds: PATIENCE_SECONDS,
    key: KEY,
    scheduled: true,
  });
  // Where names are not resolved it does not matter yet on how many hosts they are not.
  if (silent === undefined) {
    const findings = await coreDnsFindings(context, via, nodes.length);
    return { findings, found: `DNS answers to a pod on each of ${nodes.length} nodes` };
  }
  return { findings: [...silentFindings(silent), ...unplacedFinding(silent, nodes.length)], found: '' };
});

function silentFindings({ nodes, output, unplaced }: SilentPods): HealthFinding[] {
  // CoreDNS itself is not there, unless all that is wrong is the pod that nobody schedules.
  const where = nodes.length === 0 && unplaced === undefined ? [null] : nodes;
  return where.map((host) => ({
    code: 'KW483',
    host,
    evidence: `DNS does not answer ${host === null ? 'from pods' : `to a pod on ${host}`}: ${firstLine(output)}`,
    hint: HINT,
  }));
}

function unplacedFinding({ unplaced }: SilentPods, nodes: number): HealthFinding[] {
  if (unplaced === undefined) return [];
  const why = unplaced === '' ? 'no scheduler has looked at it' : unplaced;
  const evidence = `a pod that may go to any of ${nodes} nodes was put on none within ${PATIENCE_SECONDS} s: ${why}`;
  return [{ code: 'KW665', host: null, evidence, hint: SCHEDULER_HINT }];
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
