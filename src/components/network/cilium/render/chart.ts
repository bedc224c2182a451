/** Cilium's chart in a bundle, as its makers pack it. */
export const CHART = 'manifests/cilium.tgz';
