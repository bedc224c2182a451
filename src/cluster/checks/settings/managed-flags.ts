/**
 * Flags that are not the user's to set: Kubewright or kubeadm sets them from something else in the file, and a second
 * opinion breaks the install or the fail-over. From kubeadm 1.34: phases/controlplane/manifests.go, phases/etcd/local.go,
 * phases/kubelet/flags.go.
 */
export type ManagedFlags = Record<string, string>;

const CERTIFICATES = 'kubeadm makes the certificates and knows where they lie';

export const API_SERVER: ManagedFlags = {
  'advertise-address': "use the host's address",
  'secure-port': 'use spec.kubernetes.apiServer.port; clients use spec.endpoint.port',
  'bind-address': 'HAProxy on the other control planes must reach it',
  'etcd-servers': 'use spec.etcd and hosts with role etcd',
  'etcd-cafile': CERTIFICATES,
  'etcd-certfile': CERTIFICATES,
  'etcd-keyfile': CERTIFICATES,
  'service-cluster-ip-range': 'use spec.kubernetes.serviceSubnet',
  'enable-bootstrap-token-auth': 'hosts join with a bootstrap token',
  'client-ca-file': CERTIFICATES,
  'tls-cert-file': `${CERTIFICATES}; for more names use spec.kubernetes.certificateSANs`,
  'tls-private-key-file': CERTIFICATES,
  'kubelet-client-certificate': CERTIFICATES,
  'kubelet-client-key': CERTIFICATES,
};

export const CONTROLLER_MANAGER: ManagedFlags = {
  'cluster-name': 'use metadata.name',
  'cluster-cidr': 'use spec.kubernetes.podSubnet',
  'allocate-node-cidrs': 'flannel needs the network of each node',
  'service-cluster-ip-range': 'use spec.kubernetes.serviceSubnet',
  'secure-port': "kubeadm's liveness probe asks 10257",
  kubeconfig: 'kubeadm writes it',
  'root-ca-file': CERTIFICATES,
};

export const SCHEDULER: ManagedFlags = {
  'secure-port': "kubeadm's liveness probe asks 10259",
  kubeconfig: 'kubeadm writes it',
};

export const KUBELET: ManagedFlags = {
  'node-ip': "use the host's address",
  'hostname-override': "use the host's name",
  'node-labels': "use the host's labels",
  'register-with-taints': "use the host's taints",
  'container-runtime-endpoint': 'use spec.runtime',
  'cgroup-driver': 'the container runtime is set up with the systemd driver',
  'cluster-dns': 'it follows from spec.kubernetes.serviceSubnet',
  'cluster-domain': 'use spec.kubernetes.dnsDomain',
  config: 'use spec.kubernetes.kubelet.config',
  kubeconfig: 'kubeadm writes it',
  'bootstrap-kubeconfig': 'kubeadm writes it',
  'pod-manifest-path': 'kubeadm writes the static pods there',
};

export const ETCD: ManagedFlags = {
  name: "use the host's name",
  'data-dir': 'Kubewright looks after the members where they are',
  'listen-client-urls': "they follow from the host's address",
  'advertise-client-urls': "they follow from the host's address",
  'listen-peer-urls': "they follow from the host's address",
  'initial-advertise-peer-urls': "they follow from the host's address",
  'initial-cluster': 'it follows from the hosts',
  'initial-cluster-state': 'Kubewright adds the members one by one',
  'initial-cluster-token': 'Kubewright adds the members one by one',
  'force-new-cluster': 'every member would forget the others',
  'cert-file': CERTIFICATES,
  'key-file': CERTIFICATES,
  'trusted-ca-file': CERTIFICATES,
  'client-cert-auth': 'without it anyone could read and write the cluster',
  'peer-cert-file': CERTIFICATES,
  'peer-key-file': CERTIFICATES,
  'peer-trusted-ca-file': CERTIFICATES,
  'peer-client-cert-auth': 'without it anyone could join the cluster',
};
