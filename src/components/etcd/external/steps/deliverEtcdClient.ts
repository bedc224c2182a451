import { gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepImplementation } from '../../../../activities/types.js';
import { ETCD_CLIENT_FILES } from '../../members/places.js';
import { CLIENT_PAIR, issuedClient, leastDays } from '../pki.js';
import { fetchFiles, placeFiles } from './certificate-files.js';
import { certificateFacts, pairFaults } from './certificates.js';
import { authorityOf } from './deliverEtcdCertificates.js';

/** What a control plane needs to use etcd as a client, and nothing more: the CA's certificate and one client certificate. */
export const deliverEtcdClient: StepImplementation = {
  async probe(context) {
    const { ca } = ETCD_CLIENT_FILES;
    const facts = await gatherFacts(context.host, certificateFacts(ca, [CLIENT_PAIR]), context.signal);
    const faults = pairFaults(facts, [CLIENT_PAIR], { ca, leastDays: leastDays(context.cluster) });
    return faults.length === 0
      ? { done: true, found: "the API server's client certificate for etcd is there and valid", changes: [] }
      : { done: false, found: faults.join('; '), changes: ["bring the API server's client certificate for etcd over"] };
  },

  async apply(context) {
    const { host, ca } = authorityOf(context);
    const { base } = issuedClient(context.cluster);
    const fetched = await fetchFiles(host, [ca, `${base}.crt`, `${base}.key`]);
    const targets = [ETCD_CLIENT_FILES.ca, ETCD_CLIENT_FILES.certificate, ETCD_CLIENT_FILES.key];
    const files = fetched.flatMap(({ content }, index) => ({ path: targets[index] ?? '', content }));
    await placeFiles(context.host, files, context.signal);
  },
};
