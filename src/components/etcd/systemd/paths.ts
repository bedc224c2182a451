/**
 * Where a member that systemd runs has what is its own: apart from kubeadm's places, for `kubeadm reset` empties
 * /etc/kubernetes/pki, and whatever is in /var/lib/etcd counts as a member that kubeadm has made.
 */
export const PKI = '/etc/kubewright/pki';
export const DATA_DIRECTORY = '/var/lib/etcd-member';
/** What it is begun with. */
export const ENVIRONMENT_PATH = '/etc/kubewright/etcd.env';
/** Account that it runs as. */
export const ACCOUNT = 'etcd';
/** Unit without `.service`, as journalctl takes it. */
export const SERVICE = 'kubewright-etcd';
