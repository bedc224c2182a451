import { flowsOf } from '../../../../../src/activities/prepare/reach/flows.js';
import type { Observation, Round, Said } from '../../../../../src/activities/prepare/reach/observe.js';
import { numberOf, type Run } from '../../../../../src/activities/prepare/reach/orders.js';
import { clusterOf } from '../../../cluster-fixture.js';

export const CLUSTER = clusterOf({ controlPlanes: 2, workers: 1 });
export const RUN: Run = { cluster: CLUSTER, flows: flowsOf(CLUSTER), token: 't' };
const HOSTS = CLUSTER.hosts.map(({ name }) => name);

/** What hosts say of a network in which everything passes, with lines of some hosts replaced. */
export function round(
  change: (lines: { listen: Lines; probe: Lines; collect: Lines }) => void = () => undefined,
): Round {
  const listen = linesOf(() => ['receiving 17', 'receiving 112', 'ready']);
  const probe = linesOf(() => ['end']);
  const collect = linesOf(() => ['end']);
  for (const [id, flow] of RUN.flows.entries()) {
    if (flow.protocol === 'tcp') {
      listen[flow.to]?.unshift(`listening ${flow.port}`);
      probe[flow.from]?.unshift(`tcp ${id} ok`);
    } else {
      const number = numberOf(CLUSTER, flow.from);
      collect[flow.to]?.unshift(flow.protocol === 'udp' ? `udp ${flow.port} ${number}` : `vrrp ${number}`);
    }
  }
  change({ listen, probe, collect });
  const said = (lines: Lines) =>
    new Map<string, Said>(Object.entries(lines).map(([name, each]) => [name, saidOf(each)]));
  return { listened: said(listen), probed: said(probe), collected: said(collect) };
}

export type Lines = Record<string, string[]>;
const linesOf = (lines: () => string[]): Lines => Object.fromEntries(HOSTS.map((name) => [name, lines()]));
const saidOf = (lines: string[]): Said => (lines[0]?.startsWith('!') ? { why: lines[0].slice(1) } : { lines });

/** The outcome of the flow that `from > to WAY` names. */
export function seen(observations: Observation[], from: string, to: string, port: number | 'vrrp') {
  return observations.find(
    ({ flow }) => flow.from === from && flow.to === to && (flow.protocol === 'vrrp' ? 'vrrp' : flow.port) === port,
  )?.outcome;
}

function idOf(from: string, to: string, port: number): number {
  return RUN.flows.findIndex((flow) => flow.from === from && flow.to === to && 'port' in flow && flow.port === port);
}

export const says = (lines: Lines, from: string, to: string, port: number, outcome: string) => {
  const id = idOf(from, to, port);
  lines[from] = (lines[from] ?? []).map((line) => (line.startsWith(`tcp ${id} `) ? `tcp ${id} ${outcome}` : line));
};
export const without = (lines: Lines, name: string, pattern: RegExp) => {
  lines[name] = (lines[name] ?? []).filter((line) => !pattern.test(line));
};
