import { deliversFiles } from '../cluster/deliveries.js';
import { type Cluster, type ClusterHost, hostsOf } from '../cluster/types.js';
import { hostStep } from './step.js';
import type { Step } from './types.js';

/**
 * What flags of static pods refer to has to be there before the pods. The key of encryption at rest is made on the first control
 * plane, and goes from there to the others. Clusters without any of it have no such steps.
 */
export function deliveries(cluster: Cluster): Step[] {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const files = deliversFiles(cluster) ? controlPlanes.map(filesStep) : [];
  if (cluster.security?.secretsEncryption === undefined) return files;
  const [first, ...others] = controlPlanes.map(keyStep);
  if (first === undefined) return files;
  return [...files, first, ...others.map((step) => ({ ...step, needs: [...step.needs, first.id] }))];
}

function filesStep(host: ClusterHost): Step {
  return hostStep(host, 'files', {
    phase: 'prepare',
    action: 'deliverFiles',
    title: `Deliver files to ${host.name}`,
    needs: [`${host.name}/system`],
  });
}

function keyStep(host: ClusterHost): Step {
  return hostStep(host, 'encryption-key', {
    phase: 'prepare',
    action: 'deliverEncryptionKey',
    title: `Bring the key of encryption at rest to ${host.name}`,
    needs: [`${host.name}/system`],
  });
}

/**
 * Kubelets serve with certificates of the cluster's CA once somebody has approved their requests.
 *
 * @param joined id of a host's `init` or `join`
 */
export function servingCertificates(cluster: Cluster, joined: (host: ClusterHost) => string): Step[] {
  if (cluster.security?.kubeletServingCertificates !== 'cluster') return [];
  return [...hostsOf(cluster, 'control-plane'), ...hostsOf(cluster, 'worker')].map((host) =>
    hostStep(host, 'serving-certificate', {
      phase: 'verify',
      action: 'approveServingCertificate',
      title: `Approve the serving certificate of ${host.name}`,
      needs: [joined(host)],
    }),
  );
}
