import type { Cluster } from '../../../../cluster/types.js';
import { DIGEST_ANNOTATION, DIGEST_VARIABLE, digestedPod, type RenderedPod } from '../../pods/digest.js';
import { DIRECTORY } from '../../pods/places.js';
import { HAPROXY_MONITOR_PORT } from '../../vrrp/render/haproxy.js';
import { CONFIG_PATHS, type PodName } from '../places.js';

/** Of an account that is nobody's in either image. */
const UNPRIVILEGED = 65_534;

/** Below it only root may bind a port (net.ipv4.ip_unprivileged_port_start). */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** What keepalived is allowed: addresses and VRRP, the check's user, an end for checks that hang, its priority. */
const KEEPALIVED_CAPABILITIES = ['NET_ADMIN', 'NET_BROADCAST', 'NET_RAW', 'KILL', 'SETGID', 'SETUID', 'SYS_NICE'];

const VRRP_PID = '/run/keepalived-vrrp.pid';

/**
 * HAProxy as a static pod. Its liveness is its own: asked through it, an API server that is down would have it restarted,
 * and with it the connections to those that are up. Whether there is one behind it is its readiness.
 *
 * @param image reference with a tag or digest
 * @param read contents of the files that it reads
 */
export function renderHaproxyPod({ endpoint }: Pick<Cluster, 'endpoint'>, image: string, read: string[]): RenderedPod {
  const monitor = { host: '127.0.0.1', port: HAPROXY_MONITOR_PORT };
  return renderPod('haproxy', read, {
    image,
    command: ['haproxy', '-db', '-f', CONFIG_PATHS.haproxy],
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      ...(endpoint.port < FIRST_UNPRIVILEGED_PORT
        ? { runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }
        : { runAsNonRoot: true, runAsUser: UNPRIVILEGED, runAsGroup: UNPRIVILEGED, capabilities: { drop: ['ALL'] } }),
    },
    livenessProbe: { tcpSocket: monitor, initialDelaySeconds: 5, periodSeconds: 5, timeoutSeconds: 3 },
    readinessProbe: { httpGet: { ...monitor, path: '/backend' }, periodSeconds: 2, timeoutSeconds: 3 },
  });
}

/**
 * keepalived as a static pod. It takes the host's network and nothing else of it; told to end, it gives the virtual IP up
 * by itself.
 *
 * @param image reference with a tag or digest
 * @param read contents of the files that it reads
 */
export function renderKeepalivedPod(image: string, read: string[]): RenderedPod {
  return renderPod('keepalived', read, {
    image,
    command: [
      'keepalived',
      '--dont-fork',
      '--log-console',
      `--use-file=${CONFIG_PATHS.keepalived}`,
      '--pid=/run/keepalived.pid',
      `--vrrp_pid=${VRRP_PID}`,
    ],
    securityContext: {
      allowPrivilegeEscalation: false,
      runAsUser: 0,
      capabilities: { drop: ['ALL'], add: KEEPALIVED_CAPABILITIES },
    },
    // Its parent process starts one that ends anew; this sees one that it cannot.
    livenessProbe: {
      exec: { command: ['sh', '-c', `kill -0 "$(cat ${VRRP_PID})"`] },
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
    },
  });
}

/** What both have in common. Nothing in it needs the API: no service account, no secret, no ConfigMap. */
function renderPod(name: PodName, read: string[], container: object): RenderedPod {
  const podOf = (digest: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'kube-system',
      labels: { component: name, tier: 'control-plane' },
      annotations: { [DIGEST_ANNOTATION]: digest },
    },
    spec: {
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      // Connections that go on are moved on soon: the other control planes' HAProxys take them.
      terminationGracePeriodSeconds: 5,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name,
          imagePullPolicy: 'IfNotPresent',
          env: [{ name: DIGEST_VARIABLE, value: digest }],
          resources: { requests: { cpu: '25m', memory: '64Mi' } },
          volumeMounts: [{ name: 'config', mountPath: DIRECTORY, readOnly: true }],
          ...container,
        },
      ],
      volumes: [{ name: 'config', hostPath: { path: DIRECTORY, type: 'Directory' } }],
    },
  });
  return digestedPod(podOf, read);
}
