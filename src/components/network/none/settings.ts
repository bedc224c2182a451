/** `spec.network`, resolved: a person brings the network. */
export interface NoNetworkSettings {
  plugin: 'none';
}
