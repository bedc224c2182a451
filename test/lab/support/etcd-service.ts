/** Where members that systemd runs have their certificates. */
export const PKI = '/etc/kubewright/pki/etcd';

/** How long their certificates are good for. */
export const DAYS = 1825;

/** What cluster.yaml says of etcd as a service. */
export const ETCD = { runner: 'systemd', certificateValidityDays: DAYS, certificateSANs: ['etcd.example.org'] };
