import { unknown, yes } from '../../../../activities/answers.js';
import { onEachHost } from '../../../../activities/each-host.js';
import { reasonFor } from '../../../../activities/prepare/checks/overrule.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { awaitFaultless, type Faults } from '../../../../activities/verify/await-state.js';
import { type ClusterHost, hostsOf } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { endpointOf } from '../../../../render/kubeadm.js';
import { type HostView, viewOf } from '../../view.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { holderFault, lookAtDirectors } from './holding.js';

/** keepalived takes the VIP within a second of its start, and finds an API server that is ready within a second more. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 500;

/** Seconds that a host waits for an answer at the VIP: the kernel gives ARP up after three. */
const CONNECT_SECONDS = 4;

/** So many workers ask as well: they may be in another network than the control planes. */
const WORKERS = 3;

/**
 * Holds when one director has the virtual IP and other hosts get an answer there. Asked twice. Before the cluster begins a
 * refusal is an answer, for the director's own: nothing is behind it yet. When the first API server is ready, a connection has
 * to come about (`answers`): the packet was handed on, the control plane took it for its own, and its answer found the way with an
 * address that is not its card's, which many networks do not carry. Every join would wait for that in vain.
 */
export const proveDirectors: StepImplementation = {
  async probe(context) {
    const { faults, found, overruled } = await look(context);
    if (faults.length === 0) return { done: true, found, changes: [], warnings: overruled };
    const changes = [`wait until other hosts get an answer at ${endpointOf(context.cluster)}`];
    return { done: false, found: faults.map(({ what }) => what).join('; '), changes, warnings: overruled };
  },

  async apply(context) {
    let last: Fault[] = [];
    const ask = async (): Promise<Faults> => {
      const { faults, isCertain } = await look(context);
      last = faults;
      const what = faults.map((fault) => fault.what);
      return isCertain ? yes(what) : unknown(what.join('; '));
    };
    await awaitFaultless(context, 'whether the virtual IP answers', ask, {
      patienceMs: PATIENCE_MS,
      everyMs: LOOK_EVERY_MS,
    });
    const [first] = last;
    if (first === undefined) return;
    throw new KubewrightError(first.code, last.map(({ what }) => what).join('; '), { hint: HINTS[first.code] });
  },
};

type Code = 'KW351' | 'KW352';

interface Fault {
  code: Code;
  what: string;
}

const HINTS: Record<Code, string> = {
  KW351:
    "Direct routing needs one wire (ARP) for directors and control planes, and a network that lets a control plane answer with the virtual IP as its address: clouds and switches that check senders' addresses have to be told of it on the control planes' ports. A firewall of a director must let the connection in without asking for its state, for it sees one half of each. Then retry the step.",
  KW352:
    'On the directors, `journalctl -u keepalived` says who takes the virtual IP and why. Two holders do not hear each other: let in IP protocol 112 between them. Then retry the step.',
};

interface Look {
  faults: Fault[];
  /** False where whoever could not be asked may know better. */
  isCertain: boolean;
  found: string;
  overruled: string[];
}

async function look(context: StepContext): Promise<Look> {
  const { cluster } = context;
  const holding = await lookAtDirectors(context);
  const fault = holderFault(cluster, holding);
  if (fault !== undefined) {
    const isCertain = holding.holders.length > 1 || holding.untold.length === 0;
    return { faults: [{ code: 'KW352', what: fault }], isCertain, found: '', overruled: [] };
  }
  const views = await onEachHost(askers(context), (host) => viewOf(context, host, script(context)));
  const told = views.filter(({ facts }) => facts !== undefined);
  const faults = told.flatMap((view) => faultOf(context, view));
  const standing = faults.filter(({ host }) => reasonFor(cluster, 'KW351', [host]) === undefined);
  const overruled = faults.flatMap(({ host, what }) => {
    const reason = reasonFor(cluster, 'KW351', [host]);
    return reason === undefined ? [] : [`overruled: KW351 (${reason}): ${what}`];
  });
  if (told.length === 0) standing.push({ host: '', what: `no other host could ask at ${endpointOf(cluster)}` });
  const [holder] = holding.holders;
  return {
    faults: standing.map(({ what }) => ({ code: 'KW351', what })),
    isCertain: told.length > 0,
    found: `${holder?.host.name} has ${virtualIpOf(cluster).vip}, and ${listed(told.map(({ host }) => host.name))} asked there`,
    overruled,
  };
}

/** Control planes, for a join goes this way, and some workers. */
function askers({ cluster }: StepContext): ClusterHost[] {
  return [...hostsOf(cluster, 'control-plane'), ...hostsOf(cluster, 'worker').slice(0, WORKERS)];
}

/** The connection comes first: it is what makes the kernel look for the VIP's hardware address. bash says why it failed. */
function script({ cluster }: StepContext): string {
  const { vip, port } = virtualIpOf(cluster);
  return `reach() {
  local kw_said kw_status
  kw_said=$(LC_ALL=C timeout ${CONNECT_SECONDS} bash -c ': <>/dev/tcp/${vip}/${port} ' 2>&1)
  kw_status=$?
  case $kw_status:$kw_said in
    0:*) echo connected ;;
    *refused*) echo refused ;;
    *) echo silent ;;
  esac
}
fact reach reach
fact neighbour ip -4 neighbour show to ${vip}`;
}

function faultOf(context: StepContext, { host, facts }: HostView): { host: string; what: string }[] {
  const endpoint = endpointOf(context.cluster);
  const reach = facts?.text('reach');
  if (reach === 'connected' || (reach === 'refused' && !wantsAnswer(context))) return [];
  if (reach === 'refused')
    return [{ host: host.name, what: `${host.name} is refused at ${endpoint}: no API server is behind it` }];
  return [
    { host: host.name, what: `${host.name} gets no answer at ${endpoint}${arpOf(facts?.text('neighbour') ?? '')}` },
  ];
}

function wantsAnswer({ step }: StepContext): boolean {
  return step.with?.answers === true;
}

/** Where there is no entry a router lies between, or nobody was asked by ARP yet. */
function arpOf(neighbour: string): string {
  if (/\b(FAILED|INCOMPLETE)\b/.test(neighbour)) return ': nobody answers ARP for it';
  const mac = /\blladdr (\S+)/.exec(neighbour)?.[1];
  return mac === undefined ? '' : `, though ${mac} answers ARP for it`;
}
