import { type Cluster, hostsOf } from '../cluster/types.js';
import { releaseStep } from './install.js';
import { clusterStep, hostStep, idsOf } from './step.js';
import type { Step } from './types.js';

/** Chooses which key takes the place of which: every step of the run needs its word. */
const PREFLIGHT = 'cluster/preflight';

/**
 * Computes the steps that put another key of encryption at rest in the place of the one that a living cluster has. Pure. As Kubernetes
 * describes it: everybody can read with the new key before anybody writes with it, everything is written anew before the old one
 * goes. Each of these stages ends on all control planes before the next begins on any; within one they go side by side, for API servers
 * read the file while they serve.
 */
export function planRotateEncryptionKey(cluster: Cluster): Step[] {
  const hosts = hostsOf(cluster, 'control-plane');
  const preflight = clusterStep('preflight', {
    phase: 'preflight',
    action: 'checkKeyRotation',
    title: 'Check the control planes and their key of encryption at rest',
    needs: [],
  });
  const [maker, ...others] = hosts.map((host) =>
    hostStep(host, 'second-key', {
      phase: 'control-plane',
      action: 'addEncryptionKey',
      title: `Have ${host.name} read with the new key`,
      needs: [PREFLIGHT],
    }),
  );
  // The loader refuses a file without a control plane, so this is a programming error, not a user's.
  if (maker === undefined) throw new Error('a cluster has at least one control plane');
  const second = [maker, ...others.map((step) => ({ ...step, needs: [...step.needs, maker.id] }))];
  const first = hosts.map((host) =>
    hostStep(host, 'first-key', {
      phase: 'control-plane',
      action: 'promoteEncryptionKey',
      title: `Have ${host.name} write with the new key`,
      needs: [PREFLIGHT, ...idsOf(second)],
    }),
  );
  const rewrite = clusterStep('secrets', {
    phase: 'control-plane',
    action: 'rewriteSecrets',
    title: 'Write all Secrets anew with the new key',
    needs: [PREFLIGHT, ...idsOf(first)],
    timeoutMinutes: 75,
  });
  const only = hosts.map((host) =>
    hostStep(host, 'only-key', {
      phase: 'control-plane',
      action: 'removeEncryptionKey',
      title: `Take the old key from ${host.name}`,
      needs: [PREFLIGHT, rewrite.id],
    }),
  );
  return [preflight, ...second, ...first, rewrite, ...only, releaseStep(idsOf(only))];
}
