import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { loadCluster } from '../../../src/cluster/load.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { renderInitConfig } from '../../../src/render/kubeadm.js';

/** What programs run with: flags by name, and the kubelet's configuration. */
export interface Running {
  'kube-apiserver': Map<string, string>;
  'kube-controller-manager': Map<string, string>;
  'kube-scheduler': Map<string, string>;
  etcd: Map<string, string>;
  kubelet: Record<string, unknown>;
}

const PKI = '/etc/kubernetes/pki';

/**
 * What kubeadm 1.37 sets by itself (`kubeadm init phase control-plane all`, `etcd local`, `kubelet-start`): its manifests are
 * made on the hosts, so the test puts together what comes of kubeadm's own and of what is rendered for it.
 */
const OWN_FLAGS: Record<Exclude<keyof Running, 'kubelet'>, Record<string, string>> = {
  'kube-apiserver': {
    'allow-privileged': 'true',
    'authorization-mode': 'Node,RBAC',
    'client-ca-file': `${PKI}/ca.crt`,
    'enable-admission-plugins': 'NodeRestriction',
    'enable-bootstrap-token-auth': 'true',
    'etcd-cafile': `${PKI}/etcd/ca.crt`,
    'etcd-certfile': `${PKI}/apiserver-etcd-client.crt`,
    'etcd-keyfile': `${PKI}/apiserver-etcd-client.key`,
    'kubelet-client-certificate': `${PKI}/apiserver-kubelet-client.crt`,
    'kubelet-client-key': `${PKI}/apiserver-kubelet-client.key`,
    'service-account-key-file': `${PKI}/sa.pub`,
    'service-account-signing-key-file': `${PKI}/sa.key`,
    'tls-cert-file': `${PKI}/apiserver.crt`,
    'tls-private-key-file': `${PKI}/apiserver.key`,
  },
  'kube-controller-manager': {
    'bind-address': '127.0.0.1',
    'root-ca-file': `${PKI}/ca.crt`,
    'service-account-private-key-file': `${PKI}/sa.key`,
    'use-service-account-credentials': 'true',
  },
  'kube-scheduler': { 'bind-address': '127.0.0.1' },
  etcd: {
    'cert-file': `${PKI}/etcd/server.crt`,
    'client-cert-auth': 'true',
    'key-file': `${PKI}/etcd/server.key`,
    'peer-cert-file': `${PKI}/etcd/peer.crt`,
    'peer-client-cert-auth': 'true',
    'peer-key-file': `${PKI}/etcd/peer.key`,
    'trusted-ca-file': `${PKI}/etcd/ca.crt`,
  },
};

const OWN_KUBELET = {
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: `${PKI}/ca.crt` },
  },
  authorization: { mode: 'Webhook' },
  rotateCertificates: true,
};

/** What the programs of a cluster run with, by what is rendered for kubeadm. */
export function runningOf(cluster: Cluster): Running {
  const [first] = cluster.hosts;
  if (first === undefined) throw new Error('the cluster has no host');
  const documents = parseAllDocuments(renderInitConfig(cluster, first)).map((document) => document.toJS());
  const { apiServer, controllerManager, scheduler, etcd } = documents.find(
    ({ kind }) => kind === 'ClusterConfiguration',
  );
  const flags = (
    program: keyof typeof OWN_FLAGS,
    { extraArgs = [] }: { extraArgs?: { name: string; value: string }[] },
  ) =>
    new Map([
      ...Object.entries(OWN_FLAGS[program]),
      ...extraArgs.map(({ name, value }): [string, string] => [name, value]),
    ]);
  return {
    'kube-apiserver': flags('kube-apiserver', apiServer),
    'kube-controller-manager': flags('kube-controller-manager', controllerManager),
    'kube-scheduler': flags('kube-scheduler', scheduler),
    etcd: flags('etcd', etcd.local),
    kubelet: { ...OWN_KUBELET, ...documents.find(({ kind }) => kind === 'KubeletConfiguration') },
  };
}

export async function exampleOf(name: string): Promise<Cluster> {
  const { cluster } = await loadCluster(join(import.meta.dirname, '../../../examples/clusters', `${name}.yaml`));
  return cluster;
}
