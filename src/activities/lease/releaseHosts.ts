import type { ClusterHost } from '../../cluster/types.js';
import { isKubewrightError, messageOf } from '../../errors.js';
import { onEachHost } from '../each-host.js';
import { listed } from '../prepare/checks/problem.js';
import type { Probe, StepContext, StepImplementation } from '../types.js';
import { holderOf, LEASE_LIBRARY, type Lease, parseLease, releaseScript, type Writer } from './lease.js';

/** So many hosts are named; the others are counted. */
const NAMED = 5;

/**
 * Gives the hosts back that this run holds, at its end, however it ends. A host that cannot be asked keeps nobody out for
 * longer than its lease lives, so nobody is asked about it.
 */
export const releaseHosts: StepImplementation = {
  withoutLease: true,

  async probe(context) {
    const { writer } = context;
    if (writer === undefined) return { done: true, found: 'only a run holds hosts', changes: [] };
    const looks = await outcomes(context, (name) => leaseOn(context, name));
    const mine = looks.filter(({ value }) => value !== undefined && isMine(value, writer)).map(({ host }) => host.name);
    const away = looks.filter(({ failure }) => failure !== undefined).map(({ host }) => host.name);
    return probeOf(mine, away);
  },

  async apply(context) {
    const { writer, signal } = context;
    if (writer === undefined) return;
    await outcomes(context, (name) => context.hostNamed(name).run(releaseScript(writer), { signal }));
  },
};

function probeOf(mine: string[], away: string[]): Probe {
  const warnings =
    away.length === 0
      ? []
      : [`${shortened(away)} cannot be asked: what this run holds there ends by itself within two hours`];
  if (mine.length === 0) return { done: true, found: 'no host is held by this run', changes: [], warnings };
  return { done: false, found: `it holds ${shortened(mine)}`, changes: [`give ${shortened(mine)} back`], warnings };
}

/** Held by a run of this namespace: by this one, or by one before it that was ended by force. */
function isMine({ state, holder }: Lease, writer: Writer): boolean {
  return state === 'held' && holder === holderOf(writer);
}

async function leaseOn({ hostNamed, signal }: StepContext, name: string): Promise<Lease | undefined> {
  const { stdout } = await hostNamed(name).run(`${LEASE_LIBRARY}lease_read && lease_show\nexit 0\n`, { signal });
  return parseLease(stdout.split('\n'));
}

interface Outcome<T> {
  host: ClusterHost;
  value?: T;
  failure?: string;
}

/** All hosts, those that were left out too. One that fails is a finding. */
function outcomes<T>(context: StepContext, act: (name: string) => Promise<T>): Promise<Outcome<T>[]> {
  return onEachHost(context.wholeCluster.hosts, async (host): Promise<Outcome<T>> => {
    try {
      return { host, value: await act(host.name) };
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isKubewrightError(error)) throw error;
      return { host, failure: messageOf(error) };
    }
  });
}

function shortened(names: string[]): string {
  return listed(names.length <= NAMED ? names : [...names.slice(0, NAMED - 1), `${names.length - NAMED + 1} more`]);
}
