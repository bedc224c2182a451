import { type Bundle, bundleCommandFor, missingImages } from '../../../bundle/bundle.js';
import { isNode } from '../../../cluster/roles.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { loadBalancerOf, runsContainers, runtimeOf } from '../../../components/registry/plan.js';
import { loadBalancerWorkOf, podNetworkWorkOf, runtimeWorkOf, workOf } from '../../../components/registry/work.js';
import type { Writer } from '../../lease/lease.js';
import type { HostFacts } from '../facts/index.js';
import { checkCertificates } from './certificates.js';
import { checkFirewall } from './firewall.js';
import { checkKernel } from './kernel.js';
import { checkLease } from './lease.js';
import { checkNetwork } from './network.js';
import { checkOwnership, isOurs } from './ownership.js';
import { checkPorts } from './ports.js';
import { listed, type Problem } from './problem.js';
import { checkProxies } from './proxy.js';
import { checkDisks, checkMachine } from './resources.js';
import { checkServices } from './services.js';
import { checkIdentity, checkSystem } from './system.js';
import { checkUnknowns } from './unknowns.js';

export { bySeverity, described, type Problem, preflightError } from './problem.js';

/** What a check judges: a host as it is, and what cluster.yaml makes of it. */
export interface Checked {
  cluster: Cluster;
  host: ClusterHost;
  facts: HostFacts;
  /** The run that looks; undefined for `plan`, which changes nothing. */
  writer?: Writer;
}

/**
 * Everything about one host that would make an installation fail, all of it at once; pure.
 *
 * @param bundle what is going to be installed; undefined when it is missing (which is a problem of its own), or does not come from one
 */
export function problemsOf(checked: Checked, bundle: Bundle | undefined): Problem[] {
  return [
    ...checkSystem(checked),
    ...checkIdentity(checked),
    ...checkOwnership(checked),
    ...checkLease(checked),
    ...checkPorts(checked),
    ...checkNetwork(checked),
    ...checkFirewall(checked),
    ...checkProxies(checked),
    ...checkKernel(checked),
    ...checkServices(checked),
    ...workOf(checked.cluster, checked.host.role).flatMap((work) => work.check(checked)),
    ...checkMachine(checked),
    ...(bundle === undefined ? [] : [...checkBundle(checked, bundle), ...checkImages(checked, bundle)]),
    ...(isOurs(checked) ? [] : checkDisks(checked, bundle)),
    ...checkCertificates(checked),
    ...checkUnknowns(checked),
  ];
}

/** One that another maker or an earlier version made may lack what the choices of this cluster take from it. */
function checkBundle({ cluster, host }: Checked, bundle: Bundle): Problem[] {
  const wanted = workOf(cluster, host.role).flatMap((work) => work.bundled(cluster, host.role));
  const lacking = wanted.filter((name) => !bundleHolds(bundle, name));
  if (lacking.length === 0) return checkFit(cluster, host, bundle);
  const command = bundleCommandFor(bundle.kubernetesVersion, bundle.architecture);
  const networks = podNetworkWorkOf(cluster)
    .bundled(cluster, host.role)
    .filter((name) => lacking.includes(name));
  const ofRuntime = runtimeWorkOf(cluster)
    .bundled(cluster, host.role)
    .some((name) => lacking.includes(name));
  const ofBalancer = loadBalancerWorkOf(cluster)
    .bundled(cluster, host.role)
    .filter((name) => lacking.includes(name));
  const { bundleOptions } = loadBalancerOf(cluster);
  const flags = [
    ...(ofBalancer.length > 0 ? [bundleOptions] : []),
    ...(ofRuntime ? [runtimeOf(cluster).bundleOptions] : []),
    ...networks.map((name) => ` --from official --network ${name}`),
  ].join('');
  // What only some bundles bring of a load balancer is one image, and no distribution has it.
  const balancerImage = bundleOptions === '' ? [] : ofBalancer;
  const otherSource = lacking.some((name) => !isFile(name) && !balancerImage.includes(name))
    ? `; or set the "source" of what is missing (runtime.source, loadBalancer.source) to distribution, for the hosts' own packages; or name images of your own in loadBalancer.images`
    : '';
  const otherImage = balancerImage.length > 0 ? '; or name an image of your own in loadBalancer.image' : '';
  return [
    {
      code: 'KW733',
      what: `the bundle ${bundle.directory} has no ${listed(lacking)}`,
      hint: `Make it again with \`${command}${flags}\`${otherSource}${otherImage}.`,
    },
  ];
}

/** Of hosts that run containers: what the bundle has of their runtime goes with the cluster's Kubernetes. */
function checkFit(cluster: Cluster, { role }: ClusterHost, bundle: Bundle): Problem[] {
  if (!runsContainers(cluster, role)) return [];
  const misfit = runtimeWorkOf(cluster).misfit(cluster, bundle.versions);
  if (misfit === undefined) return [];
  const command = bundleCommandFor(bundle.kubernetesVersion, bundle.architecture);
  const hint = `Make it again with \`${command}${runtimeOf(cluster).bundleOptions}\`.`;
  return [{ code: 'KW319', what: `the bundle ${bundle.directory} does not fit: ${misfit}`, hint }];
}

/**
 * Images that somebody else has named, in a manifest of a pod network: the bundle has them, or hosts pull them, which needs a
 * registry that they reach. Where they reach the Internet nobody told that.
 */
function checkImages({ cluster, host }: Checked, bundle: Bundle): Problem[] {
  const { proxy, registry } = cluster.packages;
  // A registry of the user's is asked whether it has them.
  if (!isNode(host.role) || proxy !== null || registry || runtimeOf(cluster).hasRegistries(cluster)) return [];
  const lacking = missingImages(
    bundle,
    workOf(cluster).flatMap((work) => work.images(cluster)),
  );
  if (lacking.length === 0) return [];
  return [
    {
      code: 'KW365',
      what: `the bundle ${bundle.directory} lacks images that the manifests run: ${listed(lacking)}`,
      hint: 'Name a registry that has them in packages.registry, or a proxy in packages.proxy. Where the hosts reach their registries as they are, preflight.ignore takes the code.',
    },
  ];
}

/** Whether something that a choice wants of a bundle is one of its files. */
function isFile(name: string): boolean {
  return name.includes('/');
}

function bundleHolds({ files, versions }: Bundle, name: string): boolean {
  return isFile(name) ? files.some(({ path }) => path === name) : versions[name] !== undefined;
}
