import type { z } from 'zod';
import type { Check } from '../../cluster/checks/index.js';
import type { Sketch } from '../../cluster/resolve/draft.js';
import type { Cluster } from '../../cluster/types.js';
import { schema as bundle } from '../artifacts/bundle/schema.js';
import { schema as repository } from '../artifacts/repository/schema.js';
import { schema as stacked } from '../etcd/stacked/schema.js';
import { schema as staticPods } from '../etcd/static-pods/schema.js';
import { schema as etcdBySystemd } from '../etcd/systemd/schema.js';
import { schema as external } from '../load-balancer/external/schema.js';
import { schema as haproxyKeepalived } from '../load-balancer/haproxy-keepalived/schema.js';
import { schema as kubeVip } from '../load-balancer/kube-vip/schema.js';
import { schema as lvs } from '../load-balancer/lvs/schema.js';
import { schema as staticPodBalancer } from '../load-balancer/static-pods/schema.js';
import { schema as calico } from '../network/calico/schema.js';
import { schema as cilium } from '../network/cilium/schema.js';
import { schema as flannel } from '../network/flannel/schema.js';
import { schema as manifest } from '../network/manifest/schema.js';
import { schema as none } from '../network/none/schema.js';
import { schema as containerd } from '../runtime/containerd/schema.js';
import { schema as crio } from '../runtime/crio/schema.js';
import type { ArtifactSchema, ChoiceSchema, LoadBalancerSchema, PodNetworkSchema } from '../schema-types.js';
import {
  type ArtifactSettings,
  CHOSEN,
  type EtcdRunner,
  type EtcdSettings,
  type LoadBalancerSettings,
  type PodNetworkSettings,
  type RuntimeSettings,
} from './settings.js';

/** The choices of each kind by their names in cluster.yaml, as far as the file is concerned. */
export const LOAD_BALANCERS = {
  'haproxy-keepalived': haproxyKeepalived,
  'static-pods': staticPodBalancer,
  external,
  lvs,
  'kube-vip': kubeVip,
} satisfies Record<LoadBalancerSettings['type'], LoadBalancerSchema>;
/** Where etcd's members are; what holds of each does so whatever runs them. */
export const ETCDS = { stacked, external: staticPods } satisfies Record<EtcdSettings['topology'], ChoiceSchema>;
/** What runs them. */
export const ETCD_RUNNERS = {
  'static-pods': { description: "kubelets, as kubeadm's static pods.", keys: {}, resolve: () => ({}) },
  systemd: etcdBySystemd,
} satisfies Record<EtcdRunner, ChoiceSchema>;
export const RUNTIMES = { containerd, crio } satisfies Record<RuntimeSettings['type'], ChoiceSchema>;
export const POD_NETWORKS = { flannel, calico, cilium, manifest, none } satisfies Record<
  PodNetworkSettings['plugin'],
  PodNetworkSchema
>;
export const ARTIFACT_SOURCES = { bundle, repository } satisfies Record<ArtifactSettings['source'], ArtifactSchema>;

type All<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer Both) => void
  ? Both
  : never;

/** Names of a kind's choices, as `z.enum` takes them. */
export function namesOf<Choices extends object>(
  choices: Choices,
): [keyof Choices & string, ...(keyof Choices & string)[]] {
  return Object.keys(choices) as [keyof Choices & string, ...(keyof Choices & string)[]];
}

/** The keys that the choices of a kind add to its section, all of them: which go with which is a cross-check's business. */
export function keysOf<Choices extends Record<string, ChoiceSchema>>(
  choices: Choices,
): All<Choices[keyof Choices]['keys']> {
  return Object.assign({}, ...Object.values(choices).map(({ keys }) => keys));
}

/** The same of `spec.endpoint`. */
export function endpointKeysOf<Choices extends Record<string, LoadBalancerSchema>>(
  choices: Choices,
): All<Choices[keyof Choices]['endpointKeys']> {
  return Object.assign({}, ...Object.values(choices).map(({ endpointKeys }) => endpointKeys as z.ZodRawShape));
}

/** What editors and the reference say of `endpoint.port`, whose default goes by the load balancer. */
export function describeEndpointPort(choices: Record<string, LoadBalancerSchema>): string {
  const defaults = Object.entries(choices).map(([name, { endpointPort }]) => `${endpointPort} (${name})`);
  return `Port of the API at its address. Default: ${defaults.join(', ')}.`;
}

/** Namespaces of the pod network that a file chooses: its pods need more rights than others. */
export function namespacesOf(network: Sketch<Cluster>['network']): string[] {
  const choice: PodNetworkSchema | undefined = network.plugin && POD_NETWORKS[network.plugin];
  return choice?.namespaces(network) ?? [];
}

/** What editors and the reference say of the key that chooses. */
export function describeChoices(
  choices: Record<string, ChoiceSchema>,
  { lead = '', end = '' }: { lead?: string; end?: string } = {},
): string {
  const each = Object.entries(choices).flatMap(([name, { description }]) =>
    description === undefined ? [] : [Object.keys(choices).length === 1 ? description : `${name}: ${description}`],
  );
  return [lead, ...each, end].filter((part) => part !== '').join(' ');
}

/** Rules of the choices that a file makes; one that is wrong has none. */
export function checksOfChoices({ loadBalancer, etcd, runtime, network, packages }: Sketch<Cluster>): Check[] {
  return [
    ...checksOfChoice('loadBalancer', 'type', LOAD_BALANCERS, loadBalancer.type),
    ...checksOfChoice('etcd', 'topology', ETCDS, etcd.topology),
    ...checksOfChoice('etcd', 'runner', ETCD_RUNNERS, etcd.runner ?? CHOSEN.etcd.runner),
    ...checksOfChoice('runtime', 'type', RUNTIMES, runtime.type),
    ...checksOfChoice('network', 'plugin', POD_NETWORKS, network.plugin),
    ...checksOfChoice('packages', 'source', ARTIFACT_SOURCES, packages.source),
    checkBundled,
  ];
}

const OF_PROGRAMS: readonly [section: keyof Cluster, key: string, choices: Record<string, ChoiceSchema>][] = [
  ['loadBalancer', 'type', LOAD_BALANCERS],
  ['etcd', 'runner', ETCD_RUNNERS],
  ['runtime', 'type', RUNTIMES],
  ['network', 'plugin', POD_NETWORKS],
];

/** What only bundles have, where nothing comes from one. */
const checkBundled: Check = (cluster, report) => {
  const { source } = cluster.packages;
  const chosen: ArtifactSchema | undefined = source && ARTIFACT_SOURCES[source];
  if (chosen === undefined || chosen.programSource === 'bundle') return;
  for (const [section, key, choices] of OF_PROGRAMS) {
    const settings = cluster[section] as unknown as Record<string, unknown>;
    const only = choices[String(settings[key])]?.onlyInBundle?.(settings);
    if (only === undefined) continue;
    report.error(['spec', section, only.key], 'only-in-a-bundle', {
      message: `this takes what only a bundle has, and packages.source is ${source} here`,
      expected: `${only.instead}; or packages.source: bundle`,
    });
  }
};

function checksOfChoice<Choices extends Record<string, ChoiceSchema>>(
  section: string,
  key: string,
  choices: Choices,
  chosen: (keyof Choices & string) | undefined,
): Check[] {
  const choice = chosen && choices[chosen];
  if (!choice) return [];
  return [checkForeignKeys(section, key, choices, chosen), ...(choice.checks ?? [])];
}

/** A key of another choice would be without effect, and who wrote it believes that it has one. */
function checkForeignKeys(section: string, key: string, choices: Record<string, ChoiceSchema>, chosen: string): Check {
  const { keys = {}, lacks = {} } = choices[chosen] ?? {};
  const own = new Set(Object.keys(keys));
  const foreign = Object.keys(keysOf(choices)).filter((name) => !own.has(name));
  return (_, report) => {
    for (const name of foreign.filter((each) => report.written(['spec', section, each]))) {
      const owners = namesOf(choices).filter((each) => choices[each] && name in choices[each].keys);
      report.error(['spec', section, name], 'key-of-another-choice', {
        message: `this belongs to ${key}: ${owners.join(' or ')}, and ${key} is ${chosen} here${lacks[name] === undefined ? '' : `, where ${lacks[name]}`}`,
        expected: `no such key, or ${key}: ${owners.join(' or ')}`,
        at: 'key',
      });
    }
  };
}
