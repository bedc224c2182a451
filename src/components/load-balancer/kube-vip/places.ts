/** The static pod, by its name in the cluster (without the node's) and of the program in it. */
export const POD = 'kube-vip';

/** kubeadm's kubeconfig of the administrators, on the host and in the pod: where kube-vip looks for it by itself. */
export const KUBECONFIG_PATH = '/etc/kubernetes/admin.conf';

/** kube-vip's own port for its metrics; on loopback here. */
export const METRICS_PORT = 2112;

/** Lease that the control planes take turns at: the name and namespace that kube-vip's own manifests give it. */
export const LEASE = { name: 'plndr-cp-lock', namespace: 'kube-system' } as const;

/** What `bundle create` is told so that a bundle has the image. */
export const BUNDLE_OPTIONS = ' --from official --kube-vip';
