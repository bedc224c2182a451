import { z } from 'zod';
import { SERVICE_MODES } from '../../components/kube-proxy/mode.js';
import { API_SERVER_PORT } from '../../render/kubeadm-paths.js';
import { DEFAULTS } from '../defaults.js';
import {
  anyMap,
  dnsDomain,
  flagName,
  flagValue,
  kubernetesVersion,
  localPath,
  network,
  port,
  preflightCheck,
  subjectName,
  wrong,
} from './forms.js';
import { optional, required, section } from './keys.js';
import { extraVolumes, files } from './volumes.js';

const flagItem = z.strictObject(
  {
    name: required(flagName(), 'Name of the flag, without dashes.'),
    value: required(flagValue(), 'Its value.'),
  },
  wrong('a map with name and value'),
);

/** A map is what people write; kubeadm's own list is taken too, for a flag may stand twice. */
export const extraArgs = (program: string) =>
  section(
    z.union(
      [z.record(flagName(), flagValue(), wrong('a map of flags')), z.array(flagItem, wrong('a list'))],
      wrong('a map { flag: value } or a list of { name, value }'),
    ),
    `Flags for ${program}: a map, or a list of {name, value} where a flag stands twice. They override what kubeadm sets.`,
    {},
  );

const component = (program: string) =>
  section(
    z.strictObject(
      { extraArgs: extraArgs(program), extraVolumes: extraVolumes(program) },
      wrong('a map with extraArgs and extraVolumes'),
    ),
    `Settings of ${program}.`,
  );

const apiServer = z.strictObject(
  {
    extraArgs: extraArgs('kube-apiserver'),
    port: optional(
      port(),
      'Port that every API server listens on, on each address of its host. Clients ask `endpoint.port`.',
      API_SERVER_PORT,
    ),
    extraVolumes: extraVolumes('kube-apiserver'),
  },
  wrong('a map with extraArgs, extraVolumes and port'),
);

const kubelet = z.strictObject(
  {
    config: section(
      anyMap('KubeletConfiguration'),
      'Merged into KubeletConfiguration (kubelet.config.k8s.io/v1beta1) on every node.',
      {},
    ),
    extraArgs: extraArgs('kubelet'),
  },
  wrong('a map with config and extraArgs'),
);

const kubeProxy = z.strictObject(
  {
    mode: optional(
      z.enum(SERVICE_MODES, wrong('iptables, nftables, ipvs or none')),
      "How Services are carried. nftables needs Linux 5.13 or newer on every node; ipvs is deprecated since Kubernetes 1.35; none leaves kube-proxy out, for a pod network that carries Services itself (cilium, or one of yours). Left out: what config says, or kube-proxy's own default, iptables.",
    ),
    config: section(
      anyMap('KubeProxyConfiguration'),
      'Merged into KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1).',
      {},
    ),
  },
  wrong('a map with mode and config'),
);

export const kubernetes = z.strictObject(
  {
    version: optional(
      kubernetesVersion(),
      'Kubernetes version, from 1.34.0 to 1.37. A leading "v" may stand.',
      DEFAULTS.kubernetes.version,
    ),
    podSubnet: optional(
      network('10.244.0.0/16'),
      'Network of the pods; every node takes a /24 of it. It must not overlap any other network that hosts reach.',
      DEFAULTS.kubernetes.podSubnet,
    ),
    serviceSubnet: optional(
      network('10.96.0.0/12'),
      'Network of the services, /12 to /28.',
      DEFAULTS.kubernetes.serviceSubnet,
    ),
    dnsDomain: optional(dnsDomain(), 'DNS domain of the cluster.', DEFAULTS.kubernetes.dnsDomain),
    certificateSANs: section(
      z.array(subjectName(), wrong('a list of names and addresses')),
      "More names and addresses in the API server's certificate. VIP, hosts and service names are there anyway.",
      [],
    ),
    apiServer: section(apiServer, 'Settings of kube-apiserver.'),
    controllerManager: component('kube-controller-manager'),
    scheduler: component('kube-scheduler'),
    files,
    kubelet: section(kubelet, 'Settings of the kubelet.'),
    kubeProxy: section(kubeProxy, 'Settings of kube-proxy.'),
    patchesDirectory: optional(
      localPath('./patches'),
      'Directory with kubeadm patches (target[suffix][+patchtype].yaml), relative to this file. They are read at once and travel with the plan.',
    ),
    ignorePreflightErrors: section(
      z.array(preflightCheck(), wrong('a list of check names')),
      "kubeadm's preflight checks that may fail, such as SystemVerification.",
      [],
    ),
  },
  wrong('a map with version, podSubnet, serviceSubnet …'),
);
