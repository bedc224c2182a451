import { randomBytes } from 'node:crypto';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { onEachHost } from '../../each-host.js';
import type { StepContext } from '../../types.js';
import { flowsOf } from './flows.js';
import { type Observation, observe, portOf, type Round, type Said } from './observe.js';
import { listenOrders, probeOrders, type Run, whoOrders } from './orders.js';
import { reachScript } from './program.js';

/**
 * Proves by trying which of the cluster's hosts reach each other at the ports that the cluster will use: every host listens
 * for some seconds, every host connects and sends, and every host says what it received. Three round trips a host, 100 hosts
 * at a time. Nothing is left behind, also when the worker dies in the middle: the listeners end by themselves.
 *
 * @returns one observation for each flow of `flowsOf`
 * @throws KubewrightError KW2xx (transient) when a host cannot be reached by SSH
 */
export async function askReach(context: Pick<StepContext, 'cluster' | 'hostNamed' | 'signal'>): Promise<Observation[]> {
  const { cluster } = context;
  const run: Run = { cluster, flows: flowsOf(cluster), token: randomBytes(8).toString('hex') };
  const round: Round = { listened: new Map(), probed: new Map(), collected: new Map() };
  if (run.flows.length === 0) return [];
  round.listened = await onEach(context, (host) => reachScript('listen', listenOrders(run, host)));
  round.probed = await onEach(context, (host) => {
    const listens = (flow: Run['flows'][number]) => portOf(round.listened, flow) === 'listening';
    return reachScript('probe', probeOrders(run, host, listens));
  });
  round.collected = await onEach(context, (host) => reachScript('collect', whoOrders(cluster, host, run.token)));
  return observe(run, round);
}

/** A hundred connections that all run into their patience take some seconds; more would be a hanging host. */
const TIMEOUT_MS = 60_000;

async function onEach(
  { cluster, hostNamed, signal }: { cluster: Cluster } & Pick<StepContext, 'hostNamed' | 'signal'>,
  scriptFor: (host: ClusterHost) => string,
): Promise<Map<string, Said>> {
  const said = await onEachHost(cluster.hosts, async (host): Promise<[string, Said]> => {
    const options = { signal, allowFailure: true, timeoutMs: TIMEOUT_MS };
    const { exitCode, stdout, stderr } = await hostNamed(host.name).run(scriptFor(host), options);
    return [host.name, exitCode === 0 ? { lines: stdout.split('\n') } : { why: whyNot(exitCode, stderr) }];
  });
  return new Map(said);
}

function whyNot(exitCode: number, stderr: string): string {
  if (exitCode === 127) return 'it has no perl';
  return stderr.trim().split('\n').at(-1)?.slice(0, 200) || `exit code ${exitCode}`;
}
