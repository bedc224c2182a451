/** `spec.etcd`, resolved, but for what every topology has. */
export interface ExternalEtcdSettings {
  topology: 'external';
}
