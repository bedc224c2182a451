import { findControlPlane } from '../kubeadm/control-plane.js';
import { askFromPods } from '../verify/dns-from-pods.js';
import { lookAtNodes, nodesOf } from '../verify/verifyNodes.js';
import { lookOnly } from './look-only.js';

/** A label of its own, so that neither this check nor an install takes the other's pods for left over. */
const KEY = 'kubewright.dev/health-check';
/** CoreDNS is there and the image is on the node: what takes longer is wrong. */
const PATIENCE_SECONDS = 45;
const HINT = 'Look at kube-proxy, the pod network and CoreDNS with `kubectl get pods --all-namespaces -o wide`.';

/** DNS answers to a pod on each node that is Ready; the others are the nodes' own findings. */
export const checkDns = lookOnly(async (context) => {
  const via = await findControlPlane(context);
  const { faults, waiting } = await lookAtNodes(context);
  if (via === undefined || faults.some(({ host }) => host === null)) {
    const evidence = 'DNS was not asked from pods: no control plane is ready';
    return { findings: [{ code: 'KW602', host: null, evidence, hint: HINT }], found: '' };
  }
  const amiss = new Set<string | null>([...faults.map(({ host }) => host), ...waiting]);
  const nodes = nodesOf(context.cluster).filter(({ name }) => !amiss.has(name));
  if (nodes.length === 0) {
    const evidence = 'DNS was not asked from pods: no node is as it should be';
    return { findings: [{ code: 'KW602', host: null, evidence, hint: HINT }], found: '' };
  }
  const silent = await askFromPods(context, via, { nodes, patienceSeconds: PATIENCE_SECONDS, key: KEY });
  if (silent === undefined) return { findings: [], found: `DNS answers to a pod on each of ${nodes.length} nodes` };
  const where = silent.nodes.length === 0 ? [null] : silent.nodes;
  return {
    findings: where.map((host) => ({
      code: 'KW483',
      host,
      evidence: `DNS does not answer ${host === null ? 'from pods' : `to a pod on ${host}`}: ${firstLine(silent.output)}`,
      hint: HINT,
    })),
    found: '',
  };
});

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
