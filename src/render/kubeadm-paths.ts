export const API_SERVER_PORT = 6443;
export const PKI_DIRECTORY = '/etc/kubernetes/pki';
/** Holds no secret: it may be read, compared and kept. */
export const KUBEADM_CONFIG_PATH = '/etc/kubewright/kubeadm.yaml';
export const PATCHES_DIRECTORY = '/etc/kubewright/patches';
/** Where the kubelet finds static pods. */
export const MANIFESTS_DIRECTORY = '/etc/kubernetes/manifests';
