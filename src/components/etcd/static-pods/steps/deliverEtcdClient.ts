import { gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepImplementation } from '../../../../activities/types.js';
import { ETCD_CLIENT_FILES } from '../../members/places.js';
import { fetchFiles, placeFiles } from './certificate-files.js';
import { certificateFacts, ETCD_CA, pairFaults } from './certificates.js';
import { CLIENT_PAIR } from './createEtcdAuthority.js';
import { authorityOf } from './deliverEtcdCertificates.js';

/** What a control plane needs to use external etcd, and nothing more: the CA's certificate and one client certificate. */
export const deliverEtcdClient: StepImplementation = {
  async probe(context) {
    const facts = await gatherFacts(context.host, certificateFacts([CLIENT_PAIR]), context.signal);
    const faults = pairFaults(facts, [CLIENT_PAIR]);
    return faults.length === 0
      ? { done: true, found: "the API server's client certificate for etcd is there and valid", changes: [] }
      : { done: false, found: faults.join('; '), changes: ["bring the API server's client certificate for etcd over"] };
  },

  async apply(context) {
    const authority = authorityOf(context);
    const paths = [ETCD_CA, ETCD_CLIENT_FILES.certificate, ETCD_CLIENT_FILES.key];
    await placeFiles(context.host, await fetchFiles(authority, paths), context.signal);
  },
};
