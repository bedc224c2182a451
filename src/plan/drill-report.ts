/** What a fail-over drill can do to a cluster, in the order in which it does it. */
export const SCENARIOS = ['balancer', 'api-server', 'etcd-leader', 'power', 'network'] as const;

/** Name of a scenario. */
export type Scenario = (typeof SCENARIOS)[number];

/** What is asked ten times a second while something is broken. */
export const PROBE_KINDS = ['version', 'read', 'write', 'dns'] as const;

/**
 * `version`: any API server that is up answers. `read`: an object read without a resource version, which etcd answers only with
 * a quorum (linearizable). `write`: a change of one object, through etcd's leader. `dns`: a name of the cluster, from a pod.
 */
export type ProbeKind = (typeof PROBE_KINDS)[number];

/** What one kind of question saw. */
export interface DrillGap {
  /** What was asked. */
  kind: ProbeKind;
  /**
   * Longest time between the arrival of two answers, in milliseconds, from the moment before the break on. With nothing wrong it
   * is a little more than the time between two questions.
   */
  gapMs: number;
  /** When that gap began, milliseconds after the break; negative for an answer that came right before it. */
  atMs: number;
  /** The same of the time before the break: what this cluster shows when nothing is wrong. */
  beforeMs: number;
  /** Questions that were answered behind the break. */
  answered: number;
  /** Questions that were not: an error, or no answer within two seconds (DNS: one). */
  failed: number;
  /** Questions in a second, on average. */
  perSecond: number;
  /** The longest times without an answer, of half a second and more; at most eight, in their order. */
  outages: DrillOutage[];
}

/** A time without an answer. */
export interface DrillOutage {
  /** Milliseconds after the break. */
  fromMs: number;
  /** Milliseconds after the break. */
  toMs: number;
}

/** When something happened, milliseconds after the break; what was not seen is missing. */
export interface DrillTimes {
  /** The last balancer had taken the control plane out. */
  left?: number;
  /** The last balancer had it back. */
  returned?: number;
  /** Its node was NotReady. */
  notReady?: number;
  /** All pods that are to move had been made anew elsewhere. */
  moved?: number;
  /** What was broken was put back. */
  restored?: number;
  /** A health check found nothing. */
  healthy?: number;
}

/** What came of one scenario. */
export interface ScenarioReport {
  /** Which one. */
  scenario: Scenario;
  /** The host that was struck. */
  victim: string;
  /** The host that asked. */
  prober: string;
  /** When it was broken, milliseconds since the epoch, by the clock of the host that asked. */
  at: number;
  /** What was seen, by kind. */
  gaps: DrillGap[];
  /** When what happened. */
  times: DrillTimes;
  /** Pods that were to be made anew elsewhere; missing where nobody waited for that. */
  pods?: number;
}

/** A scenario that was left out, or was not brought to its end. */
export interface ScenarioLeft {
  /** Which one. */
  scenario: Scenario;
  /** Why, as a sentence without its end. */
  why: string;
}

/** What came of a fail-over drill. */
export interface DrillReport {
  /** Name of the cluster. */
  cluster: string;
  /** When it ended, milliseconds since the epoch. */
  at: number;
  /** What was measured, in the order in which it was done. */
  scenarios: ScenarioReport[];
  /** What was not; missing when all was. */
  left?: ScenarioLeft[];
  /** What went wrong, such as something that could not be put back; missing when nothing did. */
  problems?: DrillProblem[];
}

/** Something that went wrong in a drill. */
export interface DrillProblem {
  /** Id of the step. */
  step: string;
  /** Stable code, `KW` and three digits. */
  code: string;
  /** What happened. */
  message: string;
  /** What to do about it; may be empty. */
  hint: string;
}
