import { type ClusterHost, hostsOf } from '../../cluster/types.js';
import { loadBalancerOf } from '../../components/registry/plan.js';
import type { DrilledProgram } from '../../components/types.js';
import { isKubewrightError } from '../../errors.js';
import { assign, bash, quote } from '../../hosts/shell.js';
import { onEachHost } from '../each-host.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';

/** What the balancers' logs say of a control plane, milliseconds since the epoch, by the clock of the host that asked. */
export interface BackendTimes {
  left?: number;
  returned?: number;
}

export interface BackendQuestion {
  victim: ClusterHost;
  /** Name of the host that asked. */
  prober: string;
  /** Milliseconds since the epoch, by the clock of that host. */
  since: number;
  /** Whether the victim was away with all that runs on it: its own balancer has another story then. */
  away: boolean;
}

/**
 * When the last balancer had a control plane out, and when the last one had it back: as they have written it down themselves, so no
 * time between two looks is in it. Clocks of hosts differ; each is compared with that of the host that asked, within half a round trip.
 */
export async function backendTimes(
  context: StepContext,
  { victim, prober, since, away }: BackendQuestion,
): Promise<BackendTimes> {
  const { backendLog, hostRole } = loadBalancerOf(context.cluster);
  if (backendLog === null || victim.role !== 'control-plane') return {};
  const reference = await clockOf(context, prober);
  if (reference === undefined) return {};
  const all = hostsOf(context.cluster, hostRole ?? 'control-plane');
  const balancers = all.filter(({ name }) => !away || name !== victim.name);
  const told = await onEachHost(balancers, async ({ name }) => {
    const clock = await clockOf(context, name);
    if (clock === undefined) return undefined;
    const ahead = clock - reference;
    const lines = { left: backendLog.left(victim), returned: backendLog.returned(victim) };
    const script = logScript(backendLog.program, since + ahead, lines);
    const facts = await gatherFacts(context.hostNamed(name), script, context.signal).catch(unlessTransient);
    return facts && { left: timeIn(facts.text('left'), ahead), returned: timeIn(facts.text('returned'), ahead) };
  });
  return lastOf(told);
}

/** The slowest counts; where one has not told, it is not known. Pure. */
export function lastOf(told: readonly (BackendTimes | undefined)[]): BackendTimes {
  const latest = (key: keyof BackendTimes): BackendTimes => {
    const times = told.map((each) => each?.[key]);
    const known = times.filter((time): time is number => time !== undefined);
    return known.length === 0 || known.length < times.length ? {} : { [key]: Math.max(...known) };
  };
  return { ...latest('left'), ...latest('returned') };
}

function timeIn(seconds: string, ahead: number): number | undefined {
  return /^\d+(\.\d+)?$/.test(seconds) ? Math.round(Number(seconds) * 1_000 - ahead) : undefined;
}

/** By how much a host's clock is ahead of the worker's, in milliseconds. */
async function clockOf(context: StepContext, name: string): Promise<number | undefined> {
  const sentAt = Date.now();
  const said = await context.hostNamed(name).run('date +%s%3N', { signal: context.signal }).catch(unlessTransient);
  if (said === undefined) return undefined;
  return Number(said.stdout.trim()) - (sentAt + Date.now()) / 2;
}

/** Prints the time of the first line that says that it left, and of the last one that says that it is back; seconds since the epoch. */
function logScript(
  program: DrilledProgram,
  since: number,
  { left, returned }: { left: string; returned: string },
): string {
  const words = { left, returned, since: Math.floor(since / 1_000) };
  return `${assign(words)}lines() {
${'unit' in program ? journalLines(program.unit) : podLines(program.container)}
}
first() { lines | grep -E -m 1 -e "$left" | cut -d' ' -f 1; }
last() { lines | grep -E -e "$returned" | tail -n 1 | cut -d' ' -f 1; }
fact left first
fact returned last`;
}

const journalLines = (unit: string): string =>
  `  journalctl --quiet --no-pager -o short-unix -u ${quote(unit)} --since="@$since"`;

/** The runtime's own times, in whatever zone it is; files of containers that have ended are there, too. */
const podLines = (container: string): string => bash`  local time rest at
  cat /var/log/pods/kube-system_${container}-*/${container}/*.log 2>/dev/null | grep -E -e "$left" -e "$returned" | tail -n 100 |
    while read -r time rest; do
      at=$(date -d "$time" +%s.%3N)
      [ "\${at%.*}" -lt "$since" ] || printf '%s %s\n' "$at" "$rest"
    done`;

function unlessTransient(error: unknown): undefined {
  if (!isKubewrightError(error) || !error.transient) throw error;
  return undefined;
}
