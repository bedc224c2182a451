import { hostOf } from '../../../../activities/prepare/target.js';
import { gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import type { RemoteHost } from '../../../../hosts/types.js';
import { etcdHosts } from '../../../registry/plan.js';
import { renderEtcdMember } from '../render/member.js';
import { DIRECTORY, makeCertificates, placeFiles } from './certificate-files.js';
import { type CertificatePair, certificateFacts, ETCD_PKI, pairFaults } from './certificates.js';

const NAMES = ['server', 'peer', 'healthcheck-client'] as const;

/**
 * The certificates of one etcd member: made beside the CA's key, on the first etcd host, in memory (/run), and brought
 * over through the worker. etcd reads them anew at each connection, so a running member needs no restart.
 */
export const deliverEtcdCertificates: StepImplementation = {
  async probe(context) {
    const pairs = pairsOf(hostOf(context));
    const facts = await gatherFacts(context.host, certificateFacts(pairs), context.signal);
    const faults = pairFaults(facts, pairs);
    return faults.length === 0
      ? { done: true, found: 'the etcd certificates are there, valid and fit their keys', changes: [] }
      : { done: false, found: faults.join('; '), changes: ['make etcd certificates and bring them over'] };
  },

  async apply(context) {
    const { cluster, signal } = context;
    const host = hostOf(context);
    const config = renderEtcdMember(cluster, host, {
      members: etcdHosts(cluster),
      state: 'new',
      certificatesDirectory: DIRECTORY,
    });
    const made = await makeCertificates(authorityOf(context), host.name, config, NAMES, signal);
    const files = [...made].map(([name, content]) => ({ path: `${ETCD_PKI}/${name}`, content }));
    await placeFiles(context.host, files, signal);
  },
};

function pairsOf(host: ClusterHost): CertificatePair[] {
  const own = [host.name, host.address, 'localhost', '127.0.0.1'];
  return NAMES.map((name) => ({ base: `${ETCD_PKI}/${name}`, names: name === 'healthcheck-client' ? [] : own }));
}

/** The host with the CA's key. */
export function authorityOf(context: StepContext): RemoteHost {
  const [first] = etcdHosts(context.cluster);
  // The plan has no etcd steps without etcd hosts: a programming error, not a user's.
  if (first === undefined) throw new Error('the cluster has no etcd hosts');
  return context.hostNamed(first.name);
}
