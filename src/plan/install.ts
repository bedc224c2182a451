import { isOutside } from '../cluster/roles.js';
import { type Cluster, type ClusterHost, hostsOf } from '../cluster/types.js';
import {
  artifactSourceOf,
  etcdOf,
  loadBalancerOf,
  podNetworkOf,
  runsContainers,
  runtimeOf,
} from '../components/registry/plan.js';
import type { Preparation } from '../components/types.js';
import { deliveries, servingCertificates } from './hardening.js';
import { clusterStep, hostStep, idsOf } from './step.js';
import type { Step } from './types.js';

/**
 * Computes the steps of an install and what each needs. Pure: the same cluster gives the same plan, in an order in which
 * every step stands behind what it needs. The client computes it and it becomes the workflow's input, so newer code never
 * changes a running install.
 *
 * There is one barrier: nothing is changed anywhere before every host was looked at (`cluster/preflight`), and a cluster that
 * is there already was compared with the file (`cluster/applied`). Everything else
 * waits only for what it really needs; control planes join one after the other, because etcd takes one learner at a time.
 *
 * What a component adds stands with it (`plan.ts` in its folder); here is how they fit together.
 */
export function planInstall(cluster: Cluster): Step[] {
  const etcd = etcdOf(cluster).install(cluster);
  const balancer = loadBalancerOf(cluster).install(cluster);
  const network = podNetworkOf(cluster).install(cluster, initStep(cluster));
  const first = whoGoesFirst(cluster);
  return [
    ...preflight(cluster),
    ...prepare(cluster, first),
    ...etcd.steps,
    ...deliveries(cluster),
    ...giveWay(first, balancer.steps),
    ...controlPlanes(cluster, [balancer, etcd], network),
    ...workers(cluster),
    ...verify(cluster, idsOf(network)),
    ...recordAndRelease(proofsOf(cluster)),
  ];
}

const CLUSTER_PREFLIGHT = 'cluster/preflight';
const CLUSTER_APPLIED = 'cluster/applied';

function preflight(cluster: Cluster): Step[] {
  const checks = cluster.hosts.map((host) =>
    hostStep(host, 'preflight', { phase: 'preflight', action: 'checkHost', title: `Check ${host.name}`, needs: [] }),
  );
  const together = clusterStep('preflight', {
    phase: 'preflight',
    action: 'checkCluster',
    title: 'Check all hosts against each other',
    needs: checks.map((step) => step.id),
  });
  // Beside the hosts' own checks, so that all that stands in the way is told at once.
  const comparison = clusterStep('applied', {
    phase: 'preflight',
    action: 'compareApplied',
    title: 'Compare cluster.yaml with what was applied to the cluster',
    needs: [],
  });
  return [...checks, comparison, together];
}

function prepare(cluster: Cluster, first: Map<string, string[]>): Step[] {
  return cluster.hosts.flatMap((host) => {
    const { name } = host;
    return [
      hostStep(host, 'system', {
        phase: 'prepare',
        action: 'prepareSystem',
        title: `Prepare the system of ${name}`,
        needs: [CLUSTER_APPLIED, CLUSTER_PREFLIGHT],
      }),
      hostStep(host, 'packages', {
        phase: 'prepare',
        action: 'installPackages',
        title: `Install packages on ${name}`,
        needs: [`${name}/system`],
        timeoutMinutes: 40,
      }),
      ...(isOutside(host.role) ? [] : giveWay(first, bring(cluster, host))),
    ];
  });
}

/** Steps that bring a host its programs and images. */
function bring(cluster: Cluster, host: ClusterHost): Step[] {
  const artifacts = artifactSourceOf(cluster);
  if (!runsContainers(cluster, host.role)) return artifacts.programs(host);
  const runtime = runtimeOf(cluster).prepare(cluster, host);
  return [...artifacts.programs(host), ...runtime, ...artifacts.images(host, idsOf(runtime))];
}

/**
 * Hosts in the order in which they are waited for. etcd on hosts of its own is up before the first control plane begins; the
 * control planes join one after the other, and workers as soon as the first one is up, which holds nobody up.
 */
function inTheOrderOfNeed(cluster: Cluster): ClusterHost[][] {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  return [
    [...hostsOf(cluster, 'etcd'), ...controlPlanes.slice(0, 1)],
    ...controlPlanes.slice(1).map((host) => [host]),
    hostsOf(cluster, 'worker'),
  ];
}

/**
 * All hosts get programs and images from one worker, over one uplink. Who is waited for longest goes first, and the others
 * share what is left.
 *
 * @returns by host, the ids of the steps that bring programs and images to those that are waited for before it
 */
function whoGoesFirst(cluster: Cluster): Map<string, string[]> {
  const first = new Map<string, string[]>();
  let before: string[] = [];
  for (const wave of inTheOrderOfNeed(cluster)) {
    for (const host of wave) first.set(host.name, before);
    before = [...before, ...wave.flatMap((host) => idsOf(bring(cluster, host)))];
  }
  return first;
}

function giveWay(first: Map<string, string[]>, steps: Step[]): Step[] {
  return steps.map((step) => {
    const yieldsTo = first.get(step.host ?? '') ?? [];
    return yieldsTo.length === 0 ? step : { ...step, yieldsTo };
  });
}

/** What every host that comes up as a node needs on it. */
function readyOn({ name }: ClusterHost): string[] {
  return [`${name}/packages`, `${name}/images`, `${name}/binaries`];
}

function controlPlanes(cluster: Cluster, preparations: Preparation[], network: Step[]): Step[] {
  const begun = loadBalancerOf(cluster).begun(cluster, initStep(cluster));
  const delivered = deliveries(cluster);
  const members: Step[] = [];
  for (const host of hostsOf(cluster, 'control-plane')) {
    const own = idsOf(delivered.filter((step) => step.host === host.name));
    const ready = [...readyOn(host), ...own, ...preparations.flatMap((each) => each.neededBy(host))];
    const previous = members.at(-1);
    members.push(
      previous === undefined
        ? hostStep(host, 'init', {
            phase: 'control-plane',
            action: 'initControlPlane',
            title: `Start the cluster on ${host.name}`,
            needs: [...ready, ...preparations.flatMap((each) => each.neededByInit)],
            timeoutMinutes: 20,
          })
        : hostStep(host, 'join', {
            phase: 'control-plane',
            action: 'joinControlPlane',
            title: `Join control plane ${host.name}`,
            needs: [...ready, previous.id, ...idsOf(begun)],
            timeoutMinutes: 20,
          }),
    );
  }
  return [...members.slice(0, 1), ...begun, ...network, ...members.slice(1)];
}

function workers(cluster: Cluster): Step[] {
  const init = initStep(cluster);
  return hostsOf(cluster, 'worker').map((host) =>
    hostStep(host, 'join', {
      phase: 'workers',
      action: 'joinWorker',
      title: `Join worker ${host.name}`,
      needs: [init, ...readyOn(host)],
    }),
  );
}

function verify(cluster: Cluster, network: string[]): Step[] {
  const nodes = [...hostsOf(cluster, 'control-plane'), ...hostsOf(cluster, 'worker')];
  const joinOf = (host: ClusterHost) => (host.name === nodes[0]?.name ? initStep(cluster) : `${host.name}/join`);
  const joined = nodes.map(joinOf);
  const serving = servingCertificates(cluster, joinOf);
  // What only the last check needs is brought only when the host is done with what the cluster needs, and so are the control
  // planes, which take longest.
  const yieldsTo = hostsOf(cluster, 'control-plane').flatMap((host) => idsOf(bring(cluster, host)));
  const checkImages = nodes.flatMap((host, index) =>
    artifactSourceOf(cluster)
      .checkImages(host, joined.slice(index, index + 1))
      .map((step) => ({ ...step, yieldsTo })),
  );
  const verifyNodes = clusterStep('nodes', {
    phase: 'verify',
    action: 'verifyNodes',
    title: 'Verify that all nodes are ready',
    needs: [...joined, ...idsOf(serving), ...network],
    timeoutMinutes: 20,
  });
  // kubeadm makes both pods while there is one node, and nobody else moves them. It takes a while, and where there is a second
  // control plane it is done before the last host has joined. A worker may be left out, so one alone is not relied on.
  const places = nodes[1]?.role === 'control-plane' ? joined.slice(0, 2) : joined;
  // Whether pods can run at all shows there, where the network is brought later.
  const runnable = podNetworkOf(cluster).isBroughtLater ? [verifyNodes.id] : [];
  const spread = clusterStep('dns-spread', {
    phase: 'verify',
    action: 'spreadDns',
    title: 'Spread CoreDNS over the hosts',
    needs: [...places, ...network, ...runnable],
    timeoutMinutes: 20,
  });
  // Not behind `nodes`: it asks every host until it answers, while the last node becomes Ready.
  const dns = clusterStep('dns', {
    phase: 'verify',
    action: 'verifyDns',
    title: 'Verify that DNS answers from a pod on each node',
    needs: [...network, spread.id, ...idsOf(checkImages)],
    timeoutMinutes: 20,
  });
  return [
    ...checkImages,
    ...serving,
    verifyNodes,
    ...etcdOf(cluster).verify(cluster, joined),
    ...loadBalancerOf(cluster).verify(cluster, joined),
    spread,
    dns,
  ];
}

/** Ids of the checks that a cluster has to pass. */
export function proofsOf(cluster: Cluster): string[] {
  const components = [...etcdOf(cluster).verify(cluster, []), ...loadBalancerOf(cluster).verify(cluster, [])];
  return ['cluster/nodes', ...idsOf(components), 'cluster/dns'];
}

/**
 * Last, whatever the operation: what is recorded was proven, and the hosts are given back. The latter also after an abort or
 * a cancellation, once anything may have been changed.
 */
export function recordAndRelease(proofs: string[]): Step[] {
  const record = clusterStep('record', {
    phase: 'record',
    action: 'recordApplied',
    title: 'Record what was applied, in the cluster and on its control planes',
    needs: proofs,
  });
  return [record, releaseStep([record.id])];
}

/** Gives the hosts back at the end, also after an abort or a cancellation, once anything may have been changed. */
export function releaseStep(needs: string[]): Step {
  const release = clusterStep('release', {
    phase: 'record',
    action: 'releaseHosts',
    title: 'Give the hosts back that this run holds',
    needs: [CLUSTER_PREFLIGHT, ...needs],
  });
  return { ...release, always: true };
}

function initStep(cluster: Cluster): string {
  const first = hostsOf(cluster, 'control-plane')[0];
  // The loader refuses a file without a control plane, so this is a programming error, not a user's.
  if (first === undefined) throw new Error('a cluster has at least one control plane');
  return `${first.name}/init`;
}
