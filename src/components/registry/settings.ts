import { by, fixed, type KeyChange, type KeyChanges, never, refused, section, used } from '../../cluster/key-change.js';
import * as bundle from '../artifacts/bundle/settings.js';
import * as repository from '../artifacts/repository/settings.js';
import * as etcd from '../etcd/settings.js';
import type { StackedEtcdSettings } from '../etcd/stacked/settings.js';
import type { ExternalEtcdSettings } from '../etcd/static-pods/settings.js';
import * as etcdBySystemd from '../etcd/systemd/settings.js';
import * as external from '../load-balancer/external/settings.js';
import * as haproxyKeepalived from '../load-balancer/haproxy-keepalived/settings.js';
import * as kubeVip from '../load-balancer/kube-vip/settings.js';
import * as lvs from '../load-balancer/lvs/settings.js';
import * as staticPods from '../load-balancer/static-pods/settings.js';
import type { VirtualIp } from '../load-balancer/virtual-ip/virtual-ip.js';
import type { VrrpEndpoint } from '../load-balancer/vrrp/endpoint.js';
import * as calico from '../network/calico/settings.js';
import * as cilium from '../network/cilium/settings.js';
import * as flannel from '../network/flannel/settings.js';
import * as manifest from '../network/manifest/settings.js';
import type { NoNetworkSettings } from '../network/none/settings.js';
import * as containerd from '../runtime/containerd/settings.js';
import type { CrioSettings } from '../runtime/crio/settings.js';

export type { BundleSettings } from '../artifacts/bundle/settings.js';
export type { RepositorySettings } from '../artifacts/repository/settings.js';
export type { EtcdCommonSettings } from '../etcd/settings.js';
export type { StackedEtcdSettings } from '../etcd/stacked/settings.js';
export type { ExternalEtcdSettings } from '../etcd/static-pods/settings.js';
export type { SystemdEtcdSettings } from '../etcd/systemd/settings.js';
export type { ExternalEndpoint, ExternalLoadBalancerSettings } from '../load-balancer/external/settings.js';
export type {
  HaproxyKeepalivedEndpoint,
  HaproxyKeepalivedSettings,
} from '../load-balancer/haproxy-keepalived/settings.js';
export type { KubeVipLease, KubeVipSettings } from '../load-balancer/kube-vip/settings.js';
export type { LvsSettings } from '../load-balancer/lvs/settings.js';
export type { BalancerImages, StaticPodsSettings } from '../load-balancer/static-pods/settings.js';
export type { VirtualIp } from '../load-balancer/virtual-ip/virtual-ip.js';
export type { VrrpEndpoint } from '../load-balancer/vrrp/endpoint.js';
export type {
  MailSettings,
  Notifying,
  NotifySettings,
  SmtpSettings,
  SmtpTls,
  WebhookSettings,
} from '../load-balancer/vrrp/notify/settings.js';
export type { CalicoSettings, Encapsulation } from '../network/calico/settings.js';
export type { CiliumEncapsulation, CiliumSettings } from '../network/cilium/settings.js';
export type { FlannelSettings } from '../network/flannel/settings.js';
export type { ManifestNetworkSettings, NetworkManifest } from '../network/manifest/settings.js';
export type { NoNetworkSettings } from '../network/none/settings.js';
export type { ContainerdSettings } from '../runtime/containerd/settings.js';
export type { CrioSettings } from '../runtime/crio/settings.js';

/** `spec.loadBalancer`, resolved: one of the load balancers. */
export type LoadBalancerSettings =
  | haproxyKeepalived.HaproxyKeepalivedSettings
  | staticPods.StaticPodsSettings
  | external.ExternalLoadBalancerSettings
  | lvs.LvsSettings
  | kubeVip.KubeVipSettings;
/** What load balancers add to `spec.endpoint`. */
export type EndpointSettings = VrrpEndpoint | VirtualIp | external.ExternalEndpoint;
/** `spec.etcd`, resolved: where its members are, and what runs them. */
export type EtcdSettings = (StackedEtcdSettings | ExternalEtcdSettings | etcdBySystemd.SystemdEtcdSettings) &
  etcd.EtcdCommonSettings;
/** What runs the members. */
export type EtcdRunner = NonNullable<EtcdSettings['runner']>;
/** `spec.runtime`, resolved: one of the container runtimes. */
export type RuntimeSettings = containerd.ContainerdSettings | CrioSettings;
/** `spec.network`, resolved: one of the pod networks. */
export type PodNetworkSettings =
  | calico.CalicoSettings
  | cilium.CiliumSettings
  | flannel.FlannelSettings
  | manifest.ManifestNetworkSettings
  | NoNetworkSettings;
/** What `spec.packages` says of the source of binaries and images, resolved. */
export type ArtifactSettings = bundle.BundleSettings | repository.RepositorySettings;

/** What is chosen where cluster.yaml says nothing, and the defaults of each choice's keys. Where etcd is goes by the hosts. */
export const CHOSEN = {
  loadBalancer: {
    type: 'haproxy-keepalived',
    ...haproxyKeepalived.DEFAULTS,
    endpoint: haproxyKeepalived.ENDPOINT_DEFAULTS,
  },
  etcd: { runner: 'static-pods' },
  runtime: { type: 'containerd', ...containerd.DEFAULTS },
  network: { plugin: 'flannel', ...flannel.DEFAULTS },
  packages: { source: 'bundle', ...bundle.DEFAULTS },
} as const;

/** The key that chooses: as long as there is one choice, nobody can edit it into another one. */
const choice = (count: number, change: KeyChange): KeyChange => (count === 1 ? fixed : change);

const CHOICES = {
  loadBalancer: [haproxyKeepalived.CHANGES, staticPods.CHANGES, external.CHANGES, lvs.CHANGES, kubeVip.CHANGES],
  runtime: [containerd.CHANGES, {}],
  network: [flannel.CHANGES, calico.CHANGES, cilium.CHANGES, manifest.CHANGES, {}],
  packages: [bundle.CHANGES, repository.CHANGES],
};

/** What becomes of an edit, for every key that is of a component. */
export const COMPONENT_CHANGES: KeyChanges = {
  'spec.loadBalancer': section,
  'spec.loadBalancer.type': choice(CHOICES.loadBalancer.length, refused('reconfigure')),
  'spec.etcd': section,
  'spec.etcd.topology': never,
  'spec.etcd.runner': never,
  ...etcd.CHANGES,
  ...etcdBySystemd.CHANGES,
  'spec.runtime': section,
  'spec.runtime.type': choice(CHOICES.runtime.length, refused('reconfigure')),
  'spec.network': section,
  'spec.network.plugin': choice(CHOICES.network.length, never),
  'spec.packages': section,
  // Programs lie elsewhere, and a package knows nothing of what a bundle has brought.
  'spec.packages.source': choice(CHOICES.packages.length, refused('reconfigure')),
  // The runtime pulls images through it.
  'spec.packages.proxy': by('runtime'),
  'spec.packages.registry': section,
  'spec.packages.registry.address': by('runtime'),
  'spec.packages.registry.paths': by('runtime'),
  'spec.packages.registry.caFile': by('runtime'),
  'spec.packages.registry.loginEnv': by('runtime'),
  'spec.packages.registry.images': used,
  ...Object.assign({}, ...Object.values(CHOICES).flat()),
};
