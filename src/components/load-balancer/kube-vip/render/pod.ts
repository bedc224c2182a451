import { apiServerPort } from '../../../../cluster/chosen-ports.js';
import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { DIGEST_ANNOTATION, DIGEST_VARIABLE, digestedPod, type RenderedPod } from '../../pods/digest.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { KUBECONFIG_PATH, LEASE, METRICS_PORT, POD } from '../places.js';
import { settingsOf } from '../settings.js';

/** An address for a card, and packets of ARP. */
const CAPABILITIES = ['NET_ADMIN', 'NET_RAW'];

/**
 * kube-vip as a static pod: the control plane alone, by ARP, elected by a lease. Services of type LoadBalancer and its IPVS stay
 * off, for they are off by themselves.
 *
 * @param card network card that carries the virtual IP
 * @param image reference with a tag or digest
 */
export function renderKubeVipPod(cluster: Cluster, host: ClusterHost, card: string, image: string): RenderedPod {
  const variables = variablesOf(cluster, host, card);
  return digestedPod(
    (digest) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: POD,
        namespace: 'kube-system',
        labels: { component: POD, tier: 'control-plane' },
        annotations: { [DIGEST_ANNOTATION]: digest },
      },
      spec: {
        hostNetwork: true,
        priorityClassName: 'system-node-critical',
        // Told to end, it gives lease and address up by itself.
        terminationGracePeriodSeconds: 10,
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        // Releases that do not know `kubernetes_addr` ask their own API server by this name, which its certificate has.
        hostAliases: [{ ip: '127.0.0.1', hostnames: ['kubernetes'] }],
        containers: [
          {
            name: POD,
            image,
            imagePullPolicy: 'IfNotPresent',
            args: ['manager'],
            env: Object.entries({ ...variables, [DIGEST_VARIABLE]: digest }).map(([name, value]) => ({ name, value })),
            securityContext: {
              allowPrivilegeEscalation: false,
              runAsUser: 0,
              capabilities: { drop: ['ALL'], add: CAPABILITIES },
            },
            resources: { requests: { cpu: '25m', memory: '64Mi' } },
            volumeMounts: [{ name: 'kubeconfig', mountPath: KUBECONFIG_PATH, readOnly: true }],
          },
        ],
        volumes: [{ name: 'kubeconfig', hostPath: { path: KUBECONFIG_PATH, type: 'File' } }],
      },
    }),
    [],
  );
}

/**
 * As kube-vip's config_envvar.go names them. Its own API server is named by its address: kubeadm's kubeconfig leads through the
 * virtual IP, which nobody has before somebody has the lease, so that all would wait for ever after a cold start. As a URL:
 * client-go takes both forms, and health checks of newer releases parse this one alone.
 */
function variablesOf(cluster: Cluster, host: ClusterHost, card: string): Record<string, string> {
  const { leaseDurationSeconds, renewDeadlineSeconds, retryPeriodSeconds } = settingsOf(cluster);
  const port = String(apiServerPort(cluster));
  return {
    vip_arp: 'true',
    cp_enable: 'true',
    cp_namespace: LEASE.namespace,
    address: virtualIpOf(cluster).vip,
    port,
    vip_interface: card,
    // Alone on the card, so that no packet of the host's own begins at it.
    vip_subnet: '32',
    vip_nodename: host.name,
    vip_leaderelection: 'true',
    vip_leasename: LEASE.name,
    vip_leaseduration: String(leaseDurationSeconds),
    vip_renewdeadline: String(renewDeadlineSeconds),
    vip_retryperiod: String(retryPeriodSeconds),
    kubernetes_addr: `https://${host.address}:${port}`,
    // By itself it listens on every address.
    prometheus_server: `127.0.0.1:${METRICS_PORT}`,
  };
}
