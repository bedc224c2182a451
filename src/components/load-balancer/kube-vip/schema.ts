import type { Check } from '../../../cluster/checks/index.js';
import { apiServerPort } from '../../../cluster/chosen-ports.js';
import type { Path } from '../../../cluster/path.js';
import { type Draft, type INVALID, pick } from '../../../cluster/resolve/draft.js';
import { integer } from '../../../cluster/schema/forms.js';
import { nullable, optional } from '../../../cluster/schema/keys.js';
import { API_SERVER_PORT } from '../../../render/kubeadm-paths.js';
import type { LoadBalancerSchema } from '../../schema-types.js';
import { imageReference } from '../pods/image.js';
import { resolveVirtualIp, VIP_FORM, virtualIpKeys } from '../virtual-ip/schema.js';
import { DEFAULTS, type KubeVipLease, type KubeVipSettings } from './settings.js';

const PORT: Path = ['spec', 'endpoint', 'port'];
const BALANCER: Path = ['spec', 'loadBalancer'];

/** An hour is more than anybody waits for an API. */
const seconds = () => integer('whole seconds from 1 to 3600', 1, 3600);

/** It puts the address on a card and touches no packet: who is asked there is the API server of that host, at its own port. */
const checkPort: Check = (cluster, report) => {
  const { port } = cluster.endpoint;
  const wanted = apiServerPort(cluster);
  if (port === undefined || port === wanted) return;
  report.error(PORT, 'port-differs', {
    message: `kube-vip moves the address and no port: at the virtual IP there is the API server's, which is ${wanted}`,
    expected: `${wanted}, or the same in spec.kubernetes.apiServer.port`,
  });
};

/** client-go tries up to so much later than it was told, so that not all try at once (leaderelection.JitterFactor). */
const JITTER = 1.2;

/** What client-go refuses: kube-vip would end at once, on every control plane, and nobody would have the virtual IP. */
const checkLease: Check = ({ loadBalancer }, report) => {
  if (loadBalancer.type !== 'kube-vip') return;
  const { leaseDurationSeconds: lease, renewDeadlineSeconds: renew, retryPeriodSeconds: retry } = loadBalancer;
  // One of them is written, for the defaults go together.
  const place = (...keys: (keyof KubeVipLease)[]): Path => [
    ...BALANCER,
    keys.find((key) => report.written([...BALANCER, key])) ?? 'type',
  ];
  if (lease !== undefined && renew !== undefined && renew >= lease) {
    report.error(place('renewDeadlineSeconds', 'leaseDurationSeconds'), 'lease-too-short', {
      message: `the holder tries for ${renew} s to keep the virtual IP, and others take it after ${lease} s: both would have it`,
      expected: `renewDeadlineSeconds below leaseDurationSeconds (${lease})`,
    });
  }
  if (renew !== undefined && retry !== undefined && renew <= retry * JITTER) {
    report.error(place('retryPeriodSeconds', 'renewDeadlineSeconds'), 'lease-too-short', {
      message: `in ${renew} s the holder gets no second try when it tries every ${retry} s`,
      expected: `renewDeadlineSeconds above ${JITTER} x retryPeriodSeconds`,
    });
  }
};

type SectionDraft = Draft<Partial<Omit<KubeVipSettings, 'type'>>> | typeof INVALID | null;

export const schema = {
  description:
    'kube-vip as a static pod on every control plane: it moves the VIP by ARP to the one that holds a lease of the cluster, and spreads nothing.',
  keys: {
    image: nullable(
      imageReference('ghcr.io/kube-vip/kube-vip:v1.2.4'),
      'Image of kube-vip that the hosts pull from its registry. null: that of a bundle which `bundle create --kube-vip` made.',
      DEFAULTS.image,
    ),
    leaseDurationSeconds: optional(
      seconds(),
      'So long after the last word of the holder another control plane takes the VIP, in seconds.',
      DEFAULTS.leaseDurationSeconds,
    ),
    renewDeadlineSeconds: optional(
      seconds(),
      'So long the holder tries to keep the VIP before it gives it up, in seconds.',
      DEFAULTS.renewDeadlineSeconds,
    ),
    retryPeriodSeconds: optional(
      seconds(),
      'Time between two tries to have or keep the VIP, in seconds.',
      DEFAULTS.retryPeriodSeconds,
    ),
  },
  lacks: {
    source: 'it is an image',
    images: 'there is one image (loadBalancer.image)',
    notify: 'kube-vip tells nobody that the virtual IP moves',
  },
  endpointKeys: virtualIpKeys,
  addressForm: VIP_FORM,
  endpointPort: API_SERVER_PORT,
  checks: [checkPort, checkLease],
  resolve: (loadBalancer: SectionDraft) => ({
    image: pick(loadBalancer, 'image', DEFAULTS.image),
    leaseDurationSeconds: pick(loadBalancer, 'leaseDurationSeconds', DEFAULTS.leaseDurationSeconds),
    renewDeadlineSeconds: pick(loadBalancer, 'renewDeadlineSeconds', DEFAULTS.renewDeadlineSeconds),
    retryPeriodSeconds: pick(loadBalancer, 'retryPeriodSeconds', DEFAULTS.retryPeriodSeconds),
  }),
  resolveEndpoint: resolveVirtualIp,
  onlyInBundle: ({ image }: Partial<KubeVipSettings>) =>
    image === null ? { key: 'type', instead: 'an image of your own in loadBalancer.image' } : undefined,
} satisfies LoadBalancerSchema;
