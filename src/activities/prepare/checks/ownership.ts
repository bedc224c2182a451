import { OWNER_PATH, type OwnerRecord, parseOwner } from '../../../render/owner.js';
import { ownerOf } from '../ownership.js';
import type { Checked } from './index.js';
import { listed, type Problem } from './problem.js';

/** Whether the host bears this cluster's record: what is on it is then ours, finished or not. */
export function isOurs({ facts, cluster }: Checked): boolean {
  return facts.owner !== undefined && parseOwner(facts.owner)?.cluster === cluster.name;
}

/** Whether the host belongs to this cluster or to none. Nothing of another cluster is ever touched. */
export function checkOwnership(checked: Checked): Problem[] {
  const { facts } = checked;
  if (facts.owner === undefined) return checkLeftovers(checked);
  const owner = parseOwner(facts.owner);
  if (owner === undefined) {
    const what = `its ownership record ${OWNER_PATH} cannot be read`;
    const hint = `Look at the file. If the host belongs to no cluster, remove it; what is left of Kubernetes there is named then.`;
    return [{ code: 'KW320', what, hint }];
  }
  if (owner.cluster !== checked.cluster.name) return [foreign(checked, owner)];
  return checkRecord(checked, owner);
}

function foreign({ facts, cluster }: Checked, owner: OwnerRecord): Problem {
  const where = `cluster "${owner.cluster}" (${owner.endpoint}, as host ${owner.host})`;
  const state = facts.kubeletActive ? ', and its kubelet is running' : '';
  return {
    code: 'KW320',
    what: `it belongs to ${where}, not to "${cluster.name}"${state}`,
    hint: `Take it out of that cluster and reset it (\`kubeadm reset\`, then remove /etc/kubewright), or use another host.`,
  };
}

/** Traces of a Kubernetes that Kubewright did not install. */
function checkLeftovers({ facts }: Checked): Problem[] {
  if (facts.leftovers.length === 0 && !facts.kubeletActive) return [];
  const traces = [...facts.leftovers.slice(0, 4), ...(facts.kubeletActive ? ['a running kubelet'] : [])];
  const more = facts.leftovers.length > 4 ? ` (and ${facts.leftovers.length - 4} more)` : '';
  const origin = facts.server === undefined ? '' : ` of a cluster at ${facts.server}`;
  return [
    {
      code: 'KW321',
      what: `it holds remains${origin} that Kubewright did not install: ${listed(traces)}${more}`,
      hint: 'If the host is still in use there, use another one. If not, reset it with the tool that installed it (`kubeadm reset` for kubeadm) and remove these files.',
    },
  ];
}

/** The record says it is ours; a host with a node on it must then be this very host of this very cluster. */
function checkRecord({ facts, cluster, host }: Checked, owner: OwnerRecord): Problem[] {
  const problems: Problem[] = [];
  if (facts.caFingerprint && owner.caFingerprint && facts.caFingerprint !== owner.caFingerprint) {
    const what = `its record says cluster "${owner.cluster}" with the CA ${owner.caFingerprint}, but /etc/kubernetes/pki/ca.crt is ${facts.caFingerprint}`;
    const hint =
      'Two clusters of the same name have been at work here. Find out which one the host belongs to; reset it before it joins the other.';
    problems.push({ code: 'KW322', what, hint });
  }
  if (facts.leftovers.length === 0) return problems;
  const wanted = ownerOf(cluster, host);
  for (const [field, label] of [
    ['host', 'the host'],
    ['address', 'the address'],
    ['endpoint', 'the endpoint'],
  ] as const) {
    if (owner[field] === wanted[field]) continue;
    const what = `a node is installed on it for ${label} ${owner[field]}, and cluster.yaml now says ${wanted[field]}`;
    const hint = `Put ${owner[field]} back into cluster.yaml. To change it, take the node out of the cluster and reset the host first.`;
    problems.push({ code: 'KW322', what, hint });
  }
  return problems;
}
