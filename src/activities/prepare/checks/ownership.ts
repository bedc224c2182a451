import { type OwnerRecord, parseOwner } from '../../../render/owner.js';
import { LIFELESS_MAKERS } from '../../node-leftovers.js';
import type { HostFacts } from '../facts/index.js';
import { foreignHost, ownerOf, UNREADABLE_RECORD } from '../ownership.js';
import type { Checked } from './index.js';
import { listed, type Problem } from './problem.js';

/** Whether the host bears this cluster's record: what is on it is then ours, finished or not. */
export function isOurs({ facts, cluster }: Checked): boolean {
  return facts.owner !== undefined && parseOwner(facts.owner)?.cluster === cluster.name;
}

/** Whether a node of this cluster has begun on the host, or is installed there. */
export function hasNode(checked: Checked): boolean {
  return isOurs(checked) && checked.facts.leftovers.some(({ means }) => means === 'node' || means === 'begun');
}

/** Whether the host belongs to this cluster or to none. Nothing of another cluster is ever touched. */
export function checkOwnership(checked: Checked): Problem[] {
  const { facts } = checked;
  if (facts.owner === undefined) return checkLeftovers(checked);
  const owner = parseOwner(facts.owner);
  if (owner === undefined) return [{ code: 'KW320', ...UNREADABLE_RECORD }];
  if (owner.cluster !== checked.cluster.name) return [foreign(checked, owner)];
  return checkRecord(checked, owner);
}

function foreign({ facts, cluster }: Checked, owner: OwnerRecord): Problem {
  const { what, hint } = foreignHost(owner, cluster);
  return { code: 'KW320', what: facts.kubeletActive ? `${what}, and its kubelet is running` : what, hint };
}

/** So many are named; the others are counted. */
const SHOWN = 4;

/** The authority of a cluster and nothing that it signed: of a dead cluster, or brought for this one. */
const AUTHORITY =
  /^\/etc\/kubernetes\/pki\/(ca|front-proxy-ca|etcd\/ca)\.(crt|key)$|^\/etc\/kubernetes\/pki\/sa\.(key|pub)$/;

/** Traces of a Kubernetes that Kubewright did not install. */
function checkLeftovers({ facts }: Checked): Problem[] {
  const residue = facts.leftovers.filter(({ means }) => means === 'residue');
  const traces = facts.leftovers.filter(({ means }) => means !== 'residue');
  if (traces.length === 0 && !facts.kubeletActive) return checkResidue(residue);
  if (!facts.kubeletActive && traces.every(({ name }) => AUTHORITY.test(name))) return [authority(traces)];
  const alive =
    facts.kubeletActive || traces.some(({ by, means }) => means !== 'trace' || !LIFELESS_MAKERS.includes(by));
  const makers = [...new Set(traces.map(({ by }) => by))];
  const names = [...shortened(traces.map(({ name }) => name)), ...(facts.kubeletActive ? ['a running kubelet'] : [])];
  const origin = facts.server === undefined ? '' : ` of a cluster at ${facts.server}`;
  const by = makers.length === 0 ? '' : `, from ${listed(makers)}`;
  return [
    {
      code: alive ? 'KW321' : 'KW323',
      what: `it holds remains${origin} that Kubewright did not install${by}: ${listed(names)}`,
      hint: 'If the host is still in use there, use another one. If not, reset it with the tool that installed it (`kubeadm reset` for kubeadm) and remove what is named; interfaces and chains go with a reboot.',
    },
  ];
}

/** kubeadm keeps an authority that it finds: whoever had the old cluster's keys would be let into the new one. */
function authority(files: HostFacts['leftovers']): Problem {
  return {
    code: 'KW325',
    what: `it holds a certificate authority that Kubewright did not make, and the new cluster would take it over: ${listed(files.map(({ name }) => name))}`,
    hint: 'Remove these files if they are of a cluster that is gone. If you brought them for this one, say so: KW325 in preflight.ignore of cluster.yaml, with the reason.',
  };
}

function shortened(names: string[]): string[] {
  return names.length <= SHOWN ? names : [...names.slice(0, SHOWN), `${names.length - SHOWN} more`];
}

/** What also a proper `kubeadm reset` leaves: the new node puts its own in its place. */
function checkResidue(residue: HostFacts['leftovers']): Problem[] {
  if (residue.length === 0) return [];
  return [
    {
      code: 'KW323',
      what: `an earlier node left ${listed(shortened(residue.map(({ name }) => name)))}`,
      hint: 'The new node replaces what it uses itself. To be rid of the rest, remove the files and reboot the host.',
      severity: 'warning',
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
  if (!facts.leftovers.some(({ means }) => means === 'node' || means === 'begun')) return problems;
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
