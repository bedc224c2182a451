import { type Cluster, type ClusterHost, hostsOf } from '../cluster/types.js';
import type { Action, Phase, Step } from './types.js';

/**
 * Computes the steps of an install and what each needs. Pure: the same cluster gives the same plan, in an order in which
 * every step stands behind what it needs. The client computes it and it becomes the workflow's input, so newer code never
 * changes a running install.
 *
 * There is one barrier: nothing is changed anywhere before every host was looked at (`cluster/preflight`), and a cluster that
 * is there already was compared with the file (`cluster/applied`). Everything else
 * waits only for what it really needs; control planes join one after the other, because etcd takes one learner at a time.
 */
export function planInstall(cluster: Cluster): Step[] {
  return [
    ...preflight(cluster),
    ...prepare(cluster),
    ...etcd(cluster),
    ...controlPlanes(cluster),
    ...workers(cluster),
    ...verify(cluster),
    ...recordWhatWasApplied(),
  ];
}

const CLUSTER_PREFLIGHT = 'cluster/preflight';
const CLUSTER_APPLIED = 'cluster/applied';

interface StepFields {
  phase: Phase;
  action: Action;
  title: string;
  needs: string[];
  /** Minutes; default 10. Generous: a bound for what hangs, not an estimate. */
  timeoutMinutes?: number;
  skippable?: boolean;
}

function hostStep(host: ClusterHost, verb: string, fields: StepFields): Step {
  return {
    id: `${host.name}/${verb}`,
    host: host.name,
    timeoutMinutes: 10,
    // A cluster is whole without one of its workers, never without a control plane or an etcd member.
    skippable: host.role === 'worker',
    ...fields,
  };
}

function clusterStep(verb: string, fields: StepFields): Step {
  return { id: `cluster/${verb}`, host: null, timeoutMinutes: 10, skippable: false, ...fields };
}

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

function prepare(cluster: Cluster): Step[] {
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
      hostStep(host, 'binaries', {
        phase: 'prepare',
        action: 'installBinaries',
        title: `Install Kubernetes binaries on ${name}`,
        needs: [`${name}/system`],
        timeoutMinutes: 30,
      }),
      hostStep(host, 'runtime', {
        phase: 'prepare',
        action: 'configureRuntime',
        title: `Configure containerd on ${name}`,
        needs: [`${name}/packages`],
      }),
      hostStep(host, 'images', {
        phase: 'prepare',
        action: 'importImages',
        title: `Import images on ${name}`,
        needs: [`${name}/runtime`],
        timeoutMinutes: 60,
      }),
    ];
  });
}

/** External etcd only; a stacked member starts with its control plane. */
function etcd(cluster: Cluster): Step[] {
  const [first, ...others] = hostsOf(cluster, 'etcd');
  if (cluster.etcd.topology !== 'external' || first === undefined) return [];
  const members = [first, ...others];
  const authority = hostStep(first, 'etcd-ca', {
    phase: 'etcd',
    action: 'createEtcdAuthority',
    title: `Create the etcd certificate authority on ${first.name}`,
    needs: [`${first.name}/binaries`],
  });
  const certificates = members.map((host) =>
    hostStep(host, 'etcd-certificates', {
      phase: 'etcd',
      action: 'deliverEtcdCertificates',
      title: `Deliver etcd certificates to ${host.name}`,
      needs: [authority.id, ...(host === first ? [] : [`${host.name}/system`])],
    }),
  );
  const starts = members.map((host) =>
    hostStep(host, 'etcd', {
      phase: 'etcd',
      action: 'startEtcdMember',
      title: `Start etcd on ${host.name}`,
      needs: [`${host.name}/etcd-certificates`, `${host.name}/binaries`, `${host.name}/images`],
    }),
  );
  const health = clusterStep('etcd-health', {
    phase: 'etcd',
    action: 'verifyEtcdCluster',
    title: 'Prove that etcd is healthy before the first control plane starts',
    needs: starts.map((step) => step.id),
  });
  const clients = hostsOf(cluster, 'control-plane').map((host) =>
    hostStep(host, 'etcd-client', {
      phase: 'etcd',
      action: 'deliverEtcdClient',
      title: `Deliver the etcd client certificate to ${host.name}`,
      needs: [authority.id, `${host.name}/system`],
    }),
  );
  return [authority, ...certificates, ...starts, health, ...clients];
}

function controlPlanes(cluster: Cluster): Step[] {
  const external = cluster.etcd.topology === 'external';
  const balancers = hostsOf(cluster, 'control-plane').map((host) =>
    hostStep(host, 'load-balancer', {
      phase: 'load-balancer',
      action: 'configureLoadBalancer',
      title: `Configure HAProxy and keepalived on ${host.name}`,
      needs: [`${host.name}/packages`],
    }),
  );
  // Of the first one alone: the cluster begins there without waiting for the others.
  const proof = clusterStep('virtual-ip', {
    phase: 'load-balancer',
    action: 'proveVirtualIp',
    title: 'Prove that other hosts get an answer at the virtual IP',
    needs: balancers.slice(0, 1).map((step) => step.id),
  });
  const members: Step[] = [];
  for (const host of hostsOf(cluster, 'control-plane')) {
    const ready = [`${host.name}/images`, `${host.name}/binaries`, `${host.name}/load-balancer`];
    if (external) ready.push(`${host.name}/etcd-client`);
    const previous = members.at(-1);
    members.push(
      previous === undefined
        ? hostStep(host, 'init', {
            phase: 'control-plane',
            action: 'initControlPlane',
            title: `Start the cluster on ${host.name}`,
            needs: [...ready, proof.id, ...(external ? ['cluster/etcd-health'] : [])],
            timeoutMinutes: 20,
          })
        : hostStep(host, 'join', {
            phase: 'control-plane',
            action: 'joinControlPlane',
            title: `Join control plane ${host.name}`,
            needs: [...ready, previous.id],
            timeoutMinutes: 20,
          }),
    );
  }
  const network = clusterStep('network', {
    phase: 'network',
    action: 'applyNetwork',
    title: `Apply the pod network (${cluster.network.plugin})`,
    needs: members.slice(0, 1).map((step) => step.id),
  });
  return [...balancers, proof, ...members.slice(0, 1), network, ...members.slice(1)];
}

function workers(cluster: Cluster): Step[] {
  const init = initStep(cluster);
  return hostsOf(cluster, 'worker').map((host) =>
    hostStep(host, 'join', {
      phase: 'workers',
      action: 'joinWorker',
      title: `Join worker ${host.name}`,
      needs: [init, `${host.name}/images`, `${host.name}/binaries`],
    }),
  );
}

function verify(cluster: Cluster): Step[] {
  const nodes = [...hostsOf(cluster, 'control-plane'), ...hostsOf(cluster, 'worker')];
  const joined = nodes.map((host) => (host.name === nodes[0]?.name ? initStep(cluster) : `${host.name}/join`));
  // What only the last check needs is brought only when the host is done with what the cluster needs.
  const checkImages = nodes.map((host, index) =>
    hostStep(host, 'check-images', {
      phase: 'verify',
      action: 'importCheckImages',
      title: `Import the check's image on ${host.name}`,
      needs: joined.slice(index, index + 1),
      timeoutMinutes: 60,
    }),
  );
  const verifyNodes = clusterStep('nodes', {
    phase: 'verify',
    action: 'verifyNodes',
    title: 'Verify that all nodes are ready',
    needs: [...joined, 'cluster/network'],
    timeoutMinutes: 20,
  });
  const etcdHealth = clusterStep('etcd', {
    phase: 'verify',
    action: 'verifyEtcdCluster',
    title: 'Verify that every etcd member is a healthy voter',
    needs: joined,
  });
  const endpoint = clusterStep('endpoint', {
    phase: 'verify',
    action: 'verifyEndpoint',
    title: 'Verify the virtual IP and the API behind it',
    needs: joined,
  });
  // Behind all joins: kubeadm makes both pods while there is one node, and nobody else moves them.
  const spread = clusterStep('dns-spread', {
    phase: 'verify',
    action: 'spreadDns',
    title: 'Spread CoreDNS over the hosts',
    needs: [...joined, 'cluster/network'],
    timeoutMinutes: 20,
  });
  // Not behind `nodes`: it asks every host until it answers, while the last node becomes Ready.
  const dns = clusterStep('dns', {
    phase: 'verify',
    action: 'verifyDns',
    title: 'Verify that DNS answers from a pod on each node',
    needs: ['cluster/network', spread.id, ...checkImages.map((step) => step.id)],
    timeoutMinutes: 20,
  });
  return [...checkImages, verifyNodes, etcdHealth, endpoint, spread, dns];
}

/** Last, whatever the operation: what is recorded was proven. */
export function recordWhatWasApplied(): Step[] {
  const proofs = ['cluster/nodes', 'cluster/etcd', 'cluster/endpoint', 'cluster/dns'];
  const record = clusterStep('record', {
    phase: 'record',
    action: 'recordApplied',
    title: 'Record what was applied, in the cluster and on its control planes',
    needs: proofs,
  });
  return [record];
}

function initStep(cluster: Cluster): string {
  const first = hostsOf(cluster, 'control-plane')[0];
  // The loader refuses a file without a control plane, so this is a programming error, not a user's.
  if (first === undefined) throw new Error('a cluster has at least one control plane');
  return `${first.name}/init`;
}
