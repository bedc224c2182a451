export const ACTIONS = [
  'createEtcdAuthority',
  'deliverEtcdCertificates',
  'startEtcdMember',
  'deliverEtcdClient',
] as const;
