/** `spec.etcd`, resolved, but for what every topology has. */
export interface ExternalEtcdSettings {
  topology: 'external';
  /** Left out, as it was before there was a choice: plans and records stay what they are. */
  runner?: 'static-pods';
}
