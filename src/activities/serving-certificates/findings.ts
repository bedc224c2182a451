import type { HealthFinding } from '../../plan/run.js';
import { findControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext } from '../types.js';
import { userOf } from './judge.js';
import { pendingRequests } from './look.js';

const HINT =
  '`kubewright install` approves the request when its name and address are those of the host. A kubelet asks before its certificate ends; once that has ended without an approval, `kubectl logs` and `exec` fail on that node.';
const UNTOLD = '`kubectl get csr` on a control plane shows what is asked for; the next check asks again.';

/** Kubelets that wait for somebody to approve the certificate they serve with. Changes nothing. */
export async function servingFindings(context: StepContext): Promise<HealthFinding[]> {
  const { cluster } = context;
  if (cluster.security?.kubeletServingCertificates !== 'cluster') return [];
  const via = await findControlPlane(context);
  // That no control plane answers other checks say.
  if (via === undefined) return [];
  const pending = await pendingRequests(context, via);
  if (pending.is === 'unknown') {
    const evidence = `it cannot be told whether kubelets wait for serving certificates: ${pending.why}`;
    return [{ code: 'KW493', host: via.remote.name, evidence, hint: UNTOLD }];
  }
  const requests = pending.is === 'yes' ? pending.value : [];
  return cluster.hosts.flatMap((host) => {
    const names = requests.filter(({ username }) => username === userOf(host)).map(({ name }) => name);
    if (names.length === 0) return [];
    const evidence = `the kubelet of ${host.name} waits for its serving certificate (${names.join(', ')})`;
    return [{ code: 'KW493', host: host.name, evidence, hint: HINT }];
  });
}
