import type { z } from 'zod';
import type { Check } from '../../cluster/checks/index.js';
import type { Sketch } from '../../cluster/resolve/draft.js';
import type { Cluster } from '../../cluster/types.js';
import { schema as bundle } from '../artifacts/bundle/schema.js';
import { schema as stacked } from '../etcd/stacked/schema.js';
import { schema as staticPods } from '../etcd/static-pods/schema.js';
import { schema as haproxyKeepalived } from '../load-balancer/haproxy-keepalived/schema.js';
import { schema as staticPodBalancer } from '../load-balancer/static-pods/schema.js';
import { schema as flannel } from '../network/flannel/schema.js';
import { schema as containerd } from '../runtime/containerd/schema.js';
import type { ChoiceSchema, LoadBalancerSchema } from '../schema-types.js';
import type {
  ArtifactSettings,
  EtcdSettings,
  LoadBalancerSettings,
  PodNetworkSettings,
  RuntimeSettings,
} from './settings.js';

/** The choices of each kind by their names in cluster.yaml, as far as the file is concerned. */
export const LOAD_BALANCERS = {
  'haproxy-keepalived': haproxyKeepalived,
  'static-pods': staticPodBalancer,
} satisfies Record<LoadBalancerSettings['type'], LoadBalancerSchema>;
export const ETCDS = { stacked, external: staticPods } satisfies Record<EtcdSettings['topology'], ChoiceSchema>;
export const RUNTIMES = { containerd } satisfies Record<RuntimeSettings['type'], ChoiceSchema>;
export const POD_NETWORKS = { flannel } satisfies Record<PodNetworkSettings['plugin'], ChoiceSchema>;
export const ARTIFACT_SOURCES = { bundle } satisfies Record<ArtifactSettings['source'], ChoiceSchema>;

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
  const chosen: (ChoiceSchema | undefined)[] = [
    loadBalancer.type && LOAD_BALANCERS[loadBalancer.type],
    etcd.topology && ETCDS[etcd.topology],
    runtime.type && RUNTIMES[runtime.type],
    network.plugin && POD_NETWORKS[network.plugin],
    packages.source && ARTIFACT_SOURCES[packages.source],
  ];
  return chosen.flatMap((choice) => choice?.checks ?? []);
}
