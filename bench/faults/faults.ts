import type { ProbeKind } from '../api-probe.js';
import type { Topology } from './topologies.js';

/** Milliseconds without an answer at most, by kind of request; a kind without a goal is measured all the same. */
export type Goals = Partial<Record<ProbeKind, number>>;

/** What is done to a cluster, as the table names it. */
export interface Fault {
  key: FaultKey;
  what: string;
  /** Why a topology cannot have it; undefined when it has it. */
  absent: (topology: Topology) => string | undefined;
  goals: (topology: Topology) => Goals;
}

export type FaultKey = 'none' | 'api-server' | 'haproxy' | 'holder' | 'holder-leads' | 'server' | 'leader' | 'director';

const NOBODY_HOLDS = 'no control plane has the virtual IP';

const all = (ms: number): Goals => ({ version: ms, read: ms, write: ms });
const withVrrp = ({ address }: Topology): string | undefined => (address === 'vrrp' ? undefined : NOBODY_HOLDS);

/** In the order in which they are measured. */
export const FAULTS: Fault[] = [
  {
    key: 'none',
    what: 'nothing is wrong',
    absent: () => undefined,
    goals: () => ({}),
  },
  {
    key: 'api-server',
    what: "only the holder's API server dies (without a holder: one control plane's)",
    absent: () => undefined,
    goals: ({ address }) => ({ vrrp: all(500), lvs: all(3_000), external: {} })[address],
  },
  {
    key: 'haproxy',
    what: 'HAProxy ends on the holder (a service is stopped, a pod killed and started again)',
    absent: ({ haproxy }) => (haproxy === null ? 'control planes have no HAProxy' : undefined),
    goals: () => ({}),
  },
  {
    key: 'holder',
    what: 'the holder of the virtual IP loses its power, another host leads etcd',
    absent: withVrrp,
    goals: () => ({ version: 1_000, read: 1_000 }),
  },
  {
    key: 'holder-leads',
    what: 'the holder loses its power and led etcd too',
    absent: (topology) =>
      withVrrp(topology) ?? (topology.members === 'own-hosts' ? 'etcd has hosts of its own' : undefined),
    // Without a leader nobody answers a linearizable read: the goal for the leader's loss counts.
    goals: () => ({ version: 1_000, write: 3_000 }),
  },
  {
    key: 'server',
    what: 'a control plane that neither holds nor leads loses its power (lvs: a real server)',
    absent: () => undefined,
    goals: ({ address }) => (address === 'lvs' ? all(3_000) : {}),
  },
  {
    key: 'leader',
    what: "the host of etcd's leader loses its power, and is not the holder",
    absent: () => undefined,
    goals: () => ({ write: 3_000 }),
  },
  {
    key: 'director',
    what: 'the active one of two directors loses its power',
    absent: ({ address }) => (address === 'lvs' ? undefined : 'there are no directors'),
    goals: () => all(1_000),
  },
];
