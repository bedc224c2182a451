import type { ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import { type Answer, refine, unknown, yes } from '../answers.js';
import { findControlPlane, type ReadyControlPlane, requireControlPlane } from '../kubeadm/control-plane.js';
import { hostOf } from '../prepare/target.js';
import type { StepContext, StepImplementation } from '../types.js';
import { waitOf } from '../verify/await-state.js';
import { objectionsTo, type SigningRequest } from './judge.js';
import { pendingRequests, servingFault } from './look.js';

/** A kubelet asks when its node has addresses, and again after pauses that grow. */
const PATIENCE_MS = 180_000;
const POLL_MS = 1_000;

const APPROVE = 'approve the request of its kubelet';

/**
 * A kubelet serves with a certificate of the cluster's CA: its requests are approved when sender, name and address are those
 * of the host in cluster.yaml, and left alone otherwise. Called again, it approves the requests with which kubelets renew
 * their certificates.
 */
export const approveServingCertificate: StepImplementation = {
  async probe(context) {
    const host = hostOf(context);
    const fault = await servingFault(context, host);
    if (fault !== undefined) return { done: false, found: fault, changes: [APPROVE] };
    const renewals = await approvable(context, host);
    if (renewals.is === 'unknown') {
      const found = `nobody says whether its kubelet waits for a new certificate: ${renewals.why}`;
      return { done: false, found, changes: [], unasked: renewals.why };
    }
    if (renewals.is === 'no' || renewals.value.length === 0)
      return { done: true, found: "its kubelet serves with a certificate of the cluster's CA", changes: [] };
    const changes = [`${APPROVE} (${renewals.value.join(', ')})`];
    return { done: false, found: 'its kubelet waits for a new certificate', changes };
  },

  /** @throws KubewrightError KW491 when only requests came that must not be approved, KW492 when none came in time */
  async apply(context) {
    const host = hostOf(context);
    const via = await requireControlPlane(context);
    let refused: string[] = [];
    const look = async () => {
      const pending = await pendingRequests(context, via, host);
      const requests = pending.is === 'yes' ? pending.value : [];
      const judged = requests.map((request) => ({ request, objections: objectionsTo(request, host) }));
      await approve(
        context,
        via,
        judged.filter(({ objections }) => objections.length === 0).map(({ request }) => request),
      );
      refused = judged.flatMap(({ request, objections }) => objections.map((each) => `${request.name}: ${each}`));
      const fault = await servingFault(context, host);
      if (fault === undefined) return seen(true);
      return notYet(`waiting for the certificate of ${host.name}: ${refused.join('; ') || fault}`);
    };
    const whole = await lookUntil(look, { patienceMs: PATIENCE_MS, everyMs: POLL_MS, ...waitOf(context) });
    if (whole === undefined) throw refused.length > 0 ? mustNotBe(host, refused) : noneCame(host);
  },
};

/** Names of requests that would be approved. */
async function approvable(context: StepContext, host: ClusterHost): Promise<Answer<string[]>> {
  const via = await findControlPlane(context);
  if (via === undefined) return unknown('no control plane answers');
  const pending = await pendingRequests(context, via, host);
  return refine(pending, (requests) =>
    yes(requests.filter((request) => objectionsTo(request, host).length === 0).map(({ name }) => name)),
  );
}

async function approve(context: StepContext, via: ReadyControlPlane, requests: SigningRequest[]): Promise<void> {
  if (requests.length === 0) return;
  const names = requests.map(({ name }) => quote(name)).join(' ');
  await via.remote.run(`${via.kubectl} certificate approve ${names}`, { signal: context.signal });
}

function mustNotBe(host: ClusterHost, refused: string[]): KubewrightError {
  return new KubewrightError(
    'KW491',
    `the certificate that its kubelet asks for must not be approved: ${refused.join('; ')}`,
    {
      host: host.name,
      hint: 'Name and address in cluster.yaml have to be what the kubelet says of itself (`kubectl get node -o wide`). Where the request is not that of the host, find out who sent it (`kubectl describe csr`), then retry the step.',
    },
  );
}

function noneCame(host: ClusterHost): KubewrightError {
  return new KubewrightError(
    'KW492',
    `its kubelet asked for no certificate within ${PATIENCE_MS / 1000} s, or got none`,
    {
      host: host.name,
      hint: `\`kubectl get csr\` shows what was asked for, and \`journalctl -u kubelet\` on ${host.name} why nothing was. Then retry the step.`,
    },
  );
}
