import { type Cluster, hostsOf } from '../../cluster/types.js';
import { podNetworkWorkOf } from '../../components/registry/work.js';
import { isKubewrightError, messageOf } from '../../errors.js';
import { type Answer, no, unknown, yes } from '../answers.js';
import { onEachHost } from '../each-host.js';
import { readyControlPlane } from '../kubeadm/control-plane.js';
import { type Facts, gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { readCluster } from './cluster-applied.js';
import { begunWith, hostScript, membershipOf, parseHost } from './host-applied.js';
import { readAppliedSpec } from './record/read.js';
import type { Applied } from './types.js';

/** Hosts by name: their facts, or why they could not be asked. */
type Answers = Map<string, Facts | Unasked>;

interface Unasked {
  why: string;
  transient: boolean;
}

/** What came of the attempt to read what was applied, and whether waiting may help where it failed. */
export interface Reading {
  answer: Answer<Applied>;
  transient: boolean;
}

/**
 * Reads what was applied to the cluster. Changes nothing.
 * - yes: there is a cluster, and this is what it says
 * - no: there is none. Every control plane was asked, and on none has `kubeadm init` come to its end
 * - unknown: there is one, or may be one, and it cannot be read
 */
export async function readApplied(context: StepContext): Promise<Reading> {
  const answers = await askHosts(context);
  const facts = new Map([...answers].filter((entry): entry is [string, Facts] => !('why' in entry[1])));
  const { cluster } = context;
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const ready = controlPlanes.find(({ name }) => facts.get(name)?.text('ready') === 'ok');
  if (ready === undefined) return withoutApi(cluster, answers);
  const [read, record] = await Promise.all([
    readCluster(readyControlPlane(context, ready), podNetworkWorkOf(context.cluster), context.signal),
    readAppliedSpec(context),
  ]);
  if (read.is !== 'yes') return { answer: read.is === 'no' ? unknown(read.evidence) : read, transient: true };
  const finished = controlPlanes.some(({ name }) => {
    const own = facts.get(name);
    // A record that cannot be read counts as one: then more is compared, not less.
    return own !== undefined && membershipOf(own).is !== 'no';
  });
  if (finished && read.value.config === undefined) {
    return { answer: unknown('the cluster has no ConfigMap kubeadm-config in kube-system'), transient: false };
  }
  const hosts = cluster.hosts.flatMap((host) => {
    const own = facts.get(host.name);
    return own === undefined ? [] : [[host.name, parseHost(host, own)] as const];
  });
  const begun = begunWith(cluster, facts);
  const applied = { via: ready.name, finished, ...read.value, begun, record, hosts: new Map(hosts) };
  return { answer: yes(applied), transient: false };
}

/** Each host in one round trip. One that cannot be reached is a finding, not an error. */
async function askHosts(context: StepContext): Promise<Answers> {
  const answers = await onEachHost(context.cluster.hosts, async (host): Promise<[string, Facts | Unasked]> => {
    try {
      return [
        host.name,
        await gatherFacts(context.hostNamed(host.name), hostScript(context.cluster, host), context.signal),
      ];
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isKubewrightError(error)) throw error;
      return [host.name, { why: messageOf(error), transient: error.transient }];
    }
  });
  return new Map(answers);
}

/** No API server is ready: either there is no cluster, which every control plane has to say, or it cannot be read. */
function withoutApi(cluster: Cluster, answers: Answers): Reading {
  const words: string[] = [];
  let transient = false;
  for (const { name } of hostsOf(cluster, 'control-plane')) {
    const facts = answers.get(name);
    if (facts === undefined || 'why' in facts) {
      words.push(`${name} cannot be asked (${facts?.why ?? 'no answer'})`);
      transient ||= facts?.transient ?? true;
      continue;
    }
    const begun = facts.answer('initialised', 'no control plane was begun there');
    const member = membershipOf(facts);
    if (begun.is === 'unknown') words.push(`${name}: ${begun.why}`);
    // An init that was cut off has left something and is no cluster yet: the next run goes through its phases again.
    else if (begun.is === 'yes' && member.is !== 'no') words.push(`the API server of ${name} is not ready`);
  }
  if (words.length > 0) return { answer: unknown(words.join('; ')), transient };
  return { answer: no('on no control plane has kubeadm init come to its end'), transient: false };
}
