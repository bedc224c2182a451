import { type Answer, unknown, yes } from '../../../../activities/answers.js';
import { reasonFor } from '../../../../activities/prepare/checks/overrule.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { awaitFaultless, type Faults } from '../../../../activities/verify/await-state.js';
import { hostsOf } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { type HostView, viewOf } from '../../view.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { holdsVipFunction } from './holder.js';

/** keepalived takes the VIP within a second of its start, and other hosts that start meanwhile settle within five more. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 500;

/** Seconds that a host waits for an answer at the VIP: the kernel gives ARP up after three. */
const CONNECT_SECONDS = 4;

/** So many workers ask as well: they may be in another network than the control planes. */
const WORKERS = 3;

type Code = 'KW351' | 'KW352';

/** What to do about each fault. */
type Hints = Readonly<Record<Code, string>>;

interface Fault {
  code: Code;
  what: string;
}

/** What to do where a network does not carry the virtual IP, whoever moves it. */
export const NOT_CARRIED =
  'Clouds (AWS, GCP, Azure, Hetzner Cloud, OpenStack with port security) carry packets only to addresses that they know. Let the network carry this one to the control planes (in OpenStack: allowed address pairs on their ports), or use hosts on a network with ARP. If ARP works there, a firewall between them drops the connection. Then retry the step.';

const HINTS: Hints = {
  KW351: NOT_CARRIED,
  KW352:
    'On the control planes, `journalctl -u keepalived -u haproxy` (of static pods: `crictl logs`) says who takes the virtual IP and why. Two holders do not hear each other: let in IP protocol 112 between them. Then retry the step.',
};

/**
 * Holds when one control plane has the VIP and other hosts get an answer there. Asked as soon as the first load balancer
 * is up, before the cluster begins: in networks that carry packets only to addresses that they know of (most clouds) the
 * holder itself sees nothing wrong, and every join would wait in vain. In the preflight it could only be asked by giving a
 * host another address, which is a change.
 */
export function provingVirtualIp(hints: Hints): StepImplementation {
  return {
    async probe(context) {
      const { faults, found, overruled } = await look(context);
      const { vip, port } = virtualIpOf(context.cluster);
      if (faults.length > 0) {
        const changes = [`wait until other hosts get an answer at ${vip}:${port}`];
        return { done: false, found: faults.map(({ what }) => what).join('; '), changes, warnings: overruled };
      }
      return { done: true, found, changes: [], warnings: overruled };
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
      throw new KubewrightError(first.code, last.map(({ what }) => what).join('; '), { hint: hints[first.code] });
    },
  };
}

/** With keepalived. */
export const proveVirtualIp = provingVirtualIp(HINTS);

interface Look {
  faults: Fault[];
  /** False where whoever could not be asked may know better. */
  isCertain: boolean;
  found: string;
  overruled: string[];
}

async function look(context: StepContext): Promise<Look> {
  const { cluster } = context;
  const { vip, port } = virtualIpOf(cluster);
  const asked = [...hostsOf(cluster, 'control-plane'), ...hostsOf(cluster, 'worker').slice(0, WORKERS)];
  const views = await Promise.all(asked.map((host) => viewOf(context, host, script(context))));
  const silent = views.filter((view) => holding(view).is === 'unknown').map(({ host }) => host.name);
  const unasked = silent.length === 0 ? '' : ` (${listed(silent)} could not be asked)`;
  const holders = views.filter((view) => holding(view).is === 'yes').map(({ host }) => host.name);
  if (holders.length !== 1) {
    const what = holders.length === 0 ? `nobody holds ${vip}` : `${listed(holders)} hold ${vip} at the same time`;
    const isCertain = holders.length > 1 || silent.length === 0;
    return { faults: [{ code: 'KW352', what: `${what}${unasked}` }], isCertain, found: '', overruled: [] };
  }
  if (asked.length === 1)
    return {
      faults: [],
      isCertain: true,
      found: `${holders[0]} holds ${vip}; no other host could ask`,
      overruled: [],
    };
  const answers = views.filter((view) => holding(view).is === 'no');
  const faults = answers
    .filter(({ facts }) => !facts?.holds('answers'))
    .map((view) => ({ ...view, ...faultOf(context, view) }));
  const reasons = faults.map(({ host }) => reasonFor(cluster, 'KW351', [host.name]));
  const standing = faults.filter((_, index) => reasons[index] === undefined).map(({ code, what }) => ({ code, what }));
  if (answers.length === 0)
    standing.push({ code: 'KW351', what: `no other host could ask at ${vip}:${port}${unasked}` });
  return {
    faults: standing,
    isCertain: answers.length > 0,
    found: `${holders[0]} holds ${vip}, and ${listed(answers.map(({ host }) => host.name))} asked there${unasked}`,
    overruled: faults.flatMap(({ code, what }, index) =>
      reasons[index] === undefined ? [] : [`overruled: ${code} (${reasons[index]}): ${what}`],
    ),
  };
}

/** Whether a host has the virtual IP; unknown also of one that could not be asked. */
function holding({ host, facts }: HostView): Answer<string> {
  return facts?.answer('holds', `${host.name} does not hold it`) ?? unknown('it could not be asked');
}

/** The connection comes first: it is what makes the kernel look for the VIP's hardware address. */
function script({ cluster }: StepContext): string {
  const { vip, port } = virtualIpOf(cluster);
  return `${holdsVipFunction(cluster)}ask holds holds_vip
fact answers timeout ${CONNECT_SECONDS} bash -c ': <>/dev/tcp/${vip}/${port}'
fact neighbour ip -4 neighbour show to ${vip}`;
}

/** Where there is no entry a router lies between, or nobody was asked by ARP yet. */
function faultOf({ cluster }: StepContext, { host, facts }: HostView): Fault {
  const { vip, port } = virtualIpOf(cluster);
  const neighbour = facts?.text('neighbour') ?? '';
  const mac = /\blladdr (\S+)/.exec(neighbour)?.[1];
  const arp = /\b(FAILED|INCOMPLETE)\b/.test(neighbour)
    ? ': nobody answers ARP for it'
    : mac === undefined
      ? ''
      : `, though ${mac} answers ARP for it`;
  return { code: 'KW351', what: `${host.name} gets no answer at ${vip}:${port}${arp}` };
}
