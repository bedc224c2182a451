/** `spec.etcd`, resolved, but for what every topology has. */
export interface StackedEtcdSettings {
  topology: 'stacked';
}
