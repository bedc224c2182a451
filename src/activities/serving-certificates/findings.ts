import type { HealthFinding } from '../../plan/run.js';
import { findControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext } from '../types.js';
import { userOf } from './judge.js';
import { pendingRequests } from './look.js';

const HINT =
  '`kubewright install` approves it when its name and address are those of the host. It is asked for from the time on when 70 per cent of a certificate are over, and in vain until somebody approves it: then `kubectl logs` and `exec` fail on that node.';

/** Kubelets that wait for somebody to approve the certificate they serve with. Changes nothing. */
export async function servingFindings(context: StepContext): Promise<HealthFinding[]> {
  const { cluster } = context;
  if (cluster.security?.kubeletServingCertificates !== 'cluster') return [];
  const via = await findControlPlane(context);
  // That no control plane answers other checks say.
  if (via === undefined) return [];
  const pending = await pendingRequests(context, via);
  const requests = pending.is === 'yes' ? pending.value : [];
  return cluster.hosts.flatMap((host) => {
    const names = requests.filter(({ username }) => username === userOf(host)).map(({ name }) => name);
    if (names.length === 0) return [];
    const evidence = `the kubelet of ${host.name} waits for its serving certificate (${names.join(', ')})`;
    return [{ code: 'KW493', host: host.name, evidence, hint: HINT }];
  });
}
