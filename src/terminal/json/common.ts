import type { Problem } from '../../cluster/problem.js';

/** What every object has besides its own fields. */
export interface CommonFields {
  /** When it was printed, as ISO 8601 in UTC. */
  time: string;
  /** Which Temporal server the command uses: in the first object that is printed once that is known, and only there. */
  temporal?: TemporalInUse;
}

/** The Temporal server that a command uses. */
export interface TemporalInUse {
  /** Host and port. */
  address: string;
  /** Namespace there. */
  namespace: string;
  /** Who named the server: `embedded`, `from --address`, `from TEMPORAL_ADDRESS` or `from FILE profile NAME`. */
  source: string;
}

/**
 * Something in `cluster.yaml` that is taken, but may surprise.
 * @printedBy install, rotate-encryption-key, reset, drill, plan, validate, ssh-check, kubeconfig, unlock, health
 */
export interface WarningObject extends Omit<Problem, 'severity'> {
  type: 'warning';
  /** Always `warning`: an error is in `problems` of the object `error`. */
  severity: 'warning';
}

/**
 * Why the command failed, or what is wrong with the command line.
 * @printedBy every command
 */
export interface ErrorObject {
  type: 'error';
  /** Stable code, `KW` and three digits; absent for what was not foreseen. */
  code?: string;
  /** What happened, in one sentence or, for several problems of one host, one a line. */
  message: string;
  /** Name of the host where it happened. */
  host?: string;
  /** Step where it happened. */
  step?: string;
  /** What to do next. */
  hint?: string;
  /** Last lines of output, redacted. */
  output?: string;
  /** KW101: everything that is wrong with `cluster.yaml`. */
  problems?: Problem[];
}

/**
 * The last object: the command is over.
 * @printedBy every command
 */
export interface EndObject {
  type: 'end';
  /** The exit code that the process ends with. */
  exitCode: number;
}
