import { lookAtNodes } from '../verify/verifyNodes.js';
import { lookOnly } from './look-only.js';

const HINT =
  '`journalctl -u kubelet` and `crictl ps -a` on that host say why. A host that is switched off is not Ready, too.';

/** Every node that was applied is in the cluster and Ready, with the version and address that it should have. */
export const checkNodes = lookOnly(async (context) => {
  const { faults, waiting } = await lookAtNodes(context);
  const without = waiting.map((name) => ({
    host: name,
    what: `${name} is not Ready: nobody has brought the pod network yet`,
  }));
  return {
    findings: [...faults, ...without].map(({ host, what }) => ({ code: 'KW481', host, evidence: what, hint: HINT })),
    found: `all nodes are Ready with v${context.cluster.kubernetes.version}`,
  };
});
