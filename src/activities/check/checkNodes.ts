import { servingFindings } from '../serving-certificates/findings.js';
import { lookAtNodes } from '../verify/verifyNodes.js';
import { lookOnly } from './look-only.js';

const HINT =
  '`journalctl -u kubelet` and `crictl ps -a` on that host say why. A host that is switched off is not Ready, too.';

/** Every node that was applied is in the cluster and Ready, with the version and address that it should have; no kubelet waits for a certificate. */
export const checkNodes = lookOnly(async (context) => {
  const { faults, waiting, seen } = await lookAtNodes(context);
  const without = waiting.map((name) => ({
    host: name,
    what: `${name} is not Ready: nobody has brought the pod network yet`,
  }));
  const nodes = [...faults, ...without].map(({ host, what }) => ({
    // Where the nodes could not be asked for, nothing is known of them.
    code: host === null ? 'KW684' : 'KW481',
    host,
    evidence: what,
    hint: HINT,
  }));
  return {
    findings: [...nodes, ...(await servingFindings(context))],
    found: `all nodes are Ready with v${context.cluster.kubernetes.version}`,
    ...(seen === undefined ? {} : { seen: { nodes: seen } }),
  };
});
