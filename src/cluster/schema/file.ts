import { z } from 'zod';
import {
  ARTIFACT_SOURCES,
  describeChoices,
  describeEndpointPort,
  ETCD_RUNNERS,
  ETCDS,
  endpointKeysOf,
  keysOf,
  LOAD_BALANCERS,
  namesOf,
  POD_NETWORKS,
  RUNTIMES,
} from '../../components/registry/schema.js';
import { DEFAULTS } from '../defaults.js';
import { health } from '../health/schema.js';
import {
  clusterName,
  nodeName,
  port,
  preflightCode,
  proxyUrl,
  reason,
  sysctlName,
  sysctlValue,
  wrong,
} from './forms.js';
import { host, sshDefaults } from './hosts.js';
import { nullable, optional, required, section } from './keys.js';
import { extraArgs, kubernetes } from './kubernetes.js';
import { registry } from './registry.js';
import { hardening, security } from './security.js';

export const API_VERSION = 'kubewright.dev/v1alpha1';

const endpoint = z.strictObject(
  {
    port: optional(port(), describeEndpointPort(LOAD_BALANCERS), DEFAULTS.endpoint.port),
    ...endpointKeysOf(LOAD_BALANCERS),
  },
  wrong('a map with at least vip, or address where the load balancer is external'),
);

const etcd = z.strictObject(
  {
    topology: optional(
      z.enum(namesOf(ETCDS), wrong(namesOf(ETCDS).join(' or '))),
      describeChoices(ETCDS, { end: 'Default: external when there are such hosts.' }),
    ),
    ...keysOf(ETCDS),
    runner: optional(
      z.enum(namesOf(ETCD_RUNNERS), wrong(namesOf(ETCD_RUNNERS).join(' or '))),
      describeChoices(ETCD_RUNNERS, { lead: 'What runs its members, wherever they are.' }),
      DEFAULTS.etcd.runner,
    ),
    ...keysOf(ETCD_RUNNERS),
    extraArgs: extraArgs('etcd'),
  },
  wrong('a map with topology, runner and extraArgs'),
);

const loadBalancer = z.strictObject(
  {
    type: optional(
      z.enum(namesOf(LOAD_BALANCERS), wrong(namesOf(LOAD_BALANCERS).join(' or '))),
      describeChoices(LOAD_BALANCERS),
      DEFAULTS.loadBalancer.type,
    ),
    ...keysOf(LOAD_BALANCERS),
  },
  wrong('a map with type'),
);

const runtime = z.strictObject(
  {
    type: optional(
      z.enum(namesOf(RUNTIMES), wrong(namesOf(RUNTIMES).join(' or '))),
      describeChoices(RUNTIMES, { lead: 'Container runtime.' }),
      DEFAULTS.runtime.type,
    ),
    ...keysOf(RUNTIMES),
  },
  wrong('a map with type, source and config'),
);

const podNetwork = z.strictObject(
  {
    plugin: optional(
      z.enum(namesOf(POD_NETWORKS), wrong(namesOf(POD_NETWORKS).join(' or '))),
      describeChoices(POD_NETWORKS, { lead: 'Pod network.' }),
      DEFAULTS.network.plugin,
    ),
    ...keysOf(POD_NETWORKS),
  },
  wrong('a map with plugin and backend'),
);

const packages = z.strictObject(
  {
    source: optional(
      z.enum(namesOf(ARTIFACT_SOURCES), wrong(namesOf(ARTIFACT_SOURCES).join(' or '))),
      describeChoices(ARTIFACT_SOURCES, { lead: 'Where binaries and images come from:' }),
      DEFAULTS.packages.source,
    ),
    ...keysOf(ARTIFACT_SOURCES),
    proxy: nullable(
      proxyUrl(),
      "Proxy through which the hosts fetch their distribution's packages and pull images. Nothing else ever goes through one. null: packages as the package manager's own configuration says, images directly.",
      DEFAULTS.packages.proxy,
    ),
    registry: section(
      registry,
      'A registry of your own, from which hosts pull images instead of where they are published, with its certificates and login.',
    ),
  },
  wrong('a map with source, bundle and proxy'),
);

const overruled = z.strictObject(
  {
    code: required(preflightCode(), 'Code of the check, as `plan` and `install` show it.'),
    hosts: section(
      z
        .array(nodeName(), wrong('a list of names of hosts'))
        .min(1, wrong('at least one name; without "hosts" all are meant')),
      'Hosts that the check leaves out. Left out: all.',
    ),
    reason: required(reason(), 'Why; it is shown wherever the check would have been.'),
  },
  wrong('a map such as { code: KW335, hosts: [w-1], reason: "…" }'),
);

const preflight = z.strictObject(
  {
    ignore: section(
      z.array(overruled, wrong('a list of maps with code and reason')),
      'Checks that a person has overruled. Those that protect living data or hosts of others are refused here.',
      [],
    ),
  },
  wrong('a map with ignore'),
);

const spec = z.strictObject(
  {
    endpoint: required(endpoint, 'Where the API answers.'),
    hosts: required(
      z.array(host, wrong('a list of hosts')).min(1, wrong('at least one host with role control-plane')),
      'The machines. The first control plane is where the cluster begins.',
    ),
    kubernetes: section(kubernetes, 'Kubernetes itself.'),
    etcd: section(etcd, 'etcd.'),
    loadBalancer: section(loadBalancer, "What bears the API's address and spreads the API over the control planes."),
    runtime: section(runtime, 'Container runtime.'),
    network: section(podNetwork, 'Pod network.'),
    packages: section(packages, 'Source of binaries and images.'),
    preflight: section(preflight, 'Checks before the first change.'),
    health,
    hardening,
    security,
    sysctls: section(
      z.record(sysctlName(), sysctlValue(), wrong('a map of sysctls')),
      'Added to the sysctls that Kubernetes needs, on every host.',
      {},
    ),
    ssh: section(sshDefaults, "How hosts are reached; a host's own ssh overrides it key by key."),
  },
  wrong('a map with at least endpoint and hosts'),
);

/** The whole file, as it is written: before defaults, and without cross-checks. */
export const clusterFile = z
  .strictObject(
    {
      apiVersion: required(z.literal(API_VERSION, wrong(API_VERSION)), 'Version of this format.'),
      kind: required(z.literal('Cluster', wrong('Cluster')), 'Always Cluster.'),
      metadata: required(
        z.strictObject(
          { name: required(clusterName(), 'Name of the cluster; it cannot change once the cluster is there.') },
          wrong('a map with name'),
        ),
        'Who the cluster is.',
      ),
      spec: required(spec, 'What the cluster is.'),
    },
    wrong('a map with apiVersion, kind, metadata and spec'),
  )
  .meta({ title: 'Kubewright cluster', description: 'A Kubernetes cluster on hosts that are reached over SSH.' });

export type ClusterFile = z.input<typeof clusterFile>;
