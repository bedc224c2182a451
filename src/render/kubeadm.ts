import { apiServerPort } from '../cluster/chosen-ports.js';
import { type Cluster, type ClusterHost, hostsOf } from '../cluster/types.js';
import { kubeProxySettings } from '../components/kube-proxy/configuration.js';
import { hasKubeProxy } from '../components/kube-proxy/mode.js';
import { apiAddressOf, etcdOf, runtimeOf } from '../components/registry/plan.js';
import { kubeadmVolumes } from './control-plane-files.js';
import { PATCHES_DIRECTORY } from './kubeadm-paths.js';
import { kubeletConfiguration } from './kubelet-config.js';
import { renderYaml } from './yaml.js';

export const KUBEADM_API = 'kubeadm.k8s.io/v1beta4';

/**
 * ECDSA with P-256 instead of kubeadm's RSA-2048: as strong as RSA-3072, keys in no time, and a tenth of the work for each
 * of the handshakes that load balancers make to look after the API servers.
 */
export const ENCRYPTION_ALGORITHM = 'ECDSA-P256';

/** As kubeadm's configuration has them since v1beta4; what the file does not set is kubeadm's own, a year and ten years. */
function certificateSettings({ security = {} }: Pick<Cluster, 'security'>): object {
  const { algorithm = ENCRYPTION_ALGORITHM, validityDays, caValidityDays } = security.certificates ?? {};
  const hours = (days: number) => `${days * 24}h0m0s`;
  return {
    encryptionAlgorithm: algorithm,
    ...(validityDays === undefined ? {} : { certificateValidityPeriod: hours(validityDays) }),
    ...(caValidityDays === undefined ? {} : { caCertificateValidityPeriod: hours(caValidityDays) }),
  };
}

/** `ADDRESS:port`, where every client finds the API: a virtual IP, or the address or name of an external load balancer. */
export function endpointOf(cluster: Cluster): string {
  return `${apiAddressOf(cluster)}:${cluster.endpoint.port}`;
}

/** `/etc/kubewright/kubeadm.yaml` of the control plane on which the cluster begins. */
export function renderInitConfig(cluster: Cluster, host: ClusterHost): string {
  return renderYaml(
    initConfiguration(cluster, host),
    clusterConfiguration(cluster),
    kubeletConfiguration(cluster),
    ...(hasKubeProxy(cluster.kubernetes.kubeProxy) ? [kubeProxyConfiguration(cluster)] : []),
  );
}

/**
 * What `kubeadm init phase upload-certs` reads on a control plane.
 * @param certificateKey 64 hexadecimal digits, a secret: this text never becomes a file that stays
 */
export function renderUploadCertsConfig(cluster: Cluster, host: ClusterHost, certificateKey: string): string {
  return renderYaml({ ...initConfiguration(cluster, host), certificateKey }, clusterConfiguration(cluster));
}

export interface JoinSecrets {
  /** Bootstrap token, `abcdef.0123456789abcdef`. */
  token: string;
  /** Key of the certificates in the cluster, for control planes. */
  certificateKey?: string;
}

/**
 * JoinConfiguration with its secrets: only ever a file that goes with the command.
 *
 * Discovery by file, not by token: the file pins the cluster's CA itself, needs no anonymous access to the API and no
 * signature by the controller manager.
 * @param discoveryFile path on the host, may be relative to where kubeadm runs
 */
export function renderJoinConfig(
  cluster: Cluster,
  host: ClusterHost,
  discoveryFile: string,
  secrets: JoinSecrets,
): string {
  const controlPlane = {
    controlPlane: { localAPIEndpoint: localEndpoint(cluster, host), certificateKey: secrets.certificateKey },
  };
  return renderYaml({
    apiVersion: KUBEADM_API,
    kind: 'JoinConfiguration',
    discovery: { file: { kubeConfigPath: discoveryFile }, tlsBootstrapToken: secrets.token },
    ...(host.role === 'control-plane' ? controlPlane : {}),
    nodeRegistration: nodeRegistration(cluster, host),
    patches: { directory: PATCHES_DIRECTORY },
  });
}

/**
 * Whether the API answers only known people, so that a host has to say who it is before it has joined. kubeadm takes a
 * refusal of who is known for an answer (403), and asks in vain for minutes where it is not known (401).
 */
export function wantsCredentials({ kubernetes }: Pick<Cluster, 'kubernetes'>): boolean {
  return kubernetes.apiServer.extraArgs.some(({ name }) => name === 'authentication-config');
}

/**
 * Kubeconfig that says where the cluster is and which CA it has; without credentials, unless the API answers nobody without.
 * @param token with it the text is a secret
 */
export function renderDiscovery(cluster: Cluster, caCertificate: Buffer, token?: string): string {
  const name = cluster.name;
  return renderYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          'certificate-authority-data': caCertificate.toString('base64'),
          server: `https://${endpointOf(cluster)}`,
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: 'nobody' } }],
    'current-context': name,
    // kubeadm wants a user to be named; this one has no credentials, where it needs none.
    users: [{ name: 'nobody', user: token === undefined ? {} : { token } }],
  });
}

/** InitConfiguration of any host that runs `kubeadm init phase …`, etcd hosts included. */
export function initConfiguration(cluster: Cluster, host: ClusterHost): object {
  return {
    apiVersion: KUBEADM_API,
    kind: 'InitConfiguration',
    localAPIEndpoint: localEndpoint(cluster, host),
    nodeRegistration: nodeRegistration(cluster, host),
    patches: { directory: PATCHES_DIRECTORY },
  };
}

function localEndpoint(cluster: Cluster, host: ClusterHost): object {
  return { advertiseAddress: host.address, bindPort: apiServerPort(cluster) };
}

function nodeRegistration(cluster: Cluster, host: ClusterHost): object {
  return {
    name: host.name,
    criSocket: runtimeOf(cluster).socket,
    imagePullPolicy: 'IfNotPresent',
    ignorePreflightErrors: cluster.kubernetes.ignorePreflightErrors,
    kubeletExtraArgs: [{ name: 'node-ip', value: host.address }, ...cluster.kubernetes.kubelet.extraArgs],
    // Left out, kubeadm taints control planes; an empty list means none at all.
    ...(host.taints === null ? {} : { taints: host.taints }),
  };
}

function clusterConfiguration(cluster: Cluster): object {
  const { kubernetes } = cluster;
  return {
    ...clusterHeader(cluster),
    clusterName: cluster.name,
    controlPlaneEndpoint: endpointOf(cluster),
    networking: {
      podSubnet: kubernetes.podSubnet,
      serviceSubnet: kubernetes.serviceSubnet,
      dnsDomain: kubernetes.dnsDomain,
    },
    apiServer: {
      certSANs: certificateSans(cluster),
      extraArgs: kubernetes.apiServer.extraArgs,
      ...kubeadmVolumes(cluster, 'apiServer'),
    },
    controllerManager: { extraArgs: controllerManagerArgs(cluster), ...kubeadmVolumes(cluster, 'controllerManager') },
    scheduler: { extraArgs: kubernetes.scheduler.extraArgs, ...kubeadmVolumes(cluster, 'scheduler') },
    etcd: etcdOf(cluster).kubeadmConfiguration(cluster),
    // Kept in the cluster, so that no upgrade brings it.
    ...(hasKubeProxy(kubernetes.kubeProxy) ? {} : { proxy: { disabled: true } }),
  };
}

/**
 * How long the controller manager waits for a node's lease before its pods get no more requests: with the default of 50 s,
 * and the seconds in which another controller manager takes over, every second DNS query fails for more than a minute
 * after a host has lost its power. The kubelets renew their leases accordingly, every 5 s: see `kubeletConfiguration`.
 */
export const NODE_MONITOR_GRACE = { name: 'node-monitor-grace-period', value: '20s' };

function controllerManagerArgs({ kubernetes }: Cluster): { name: string; value: string }[] {
  const own = kubernetes.controllerManager.extraArgs;
  return own.some(({ name }) => name === NODE_MONITOR_GRACE.name) ? own : [NODE_MONITOR_GRACE, ...own];
}

/** kubeadm asks the internet for a version wherever none is set. */
export function clusterHeader(cluster: Cluster): object {
  return {
    apiVersion: KUBEADM_API,
    kind: 'ClusterConfiguration',
    kubernetesVersion: `v${cluster.kubernetes.version}`,
    ...certificateSettings(cluster),
  };
}

/** Every control plane's names in each certificate: whoever answers at the API's address is believed, and so is each by itself. */
function certificateSans(cluster: Cluster): string[] {
  const hosts = hostsOf(cluster, 'control-plane').flatMap(({ name, address }) => [name, address]);
  return [...new Set([apiAddressOf(cluster), ...hosts, ...cluster.kubernetes.certificateSANs])];
}

function kubeProxyConfiguration(cluster: Cluster): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    ...kubeProxySettings(cluster.kubernetes.kubeProxy),
  };
}
