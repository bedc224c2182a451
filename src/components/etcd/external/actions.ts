/** What every etcd has that kubeadm does not make: an authority and certificates of its own. */
export const EXTERNAL_ACTIONS = ['createEtcdAuthority', 'deliverEtcdCertificates', 'deliverEtcdClient'] as const;
