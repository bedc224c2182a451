import type { Difference } from '../../activities/applied/difference.js';
import type { Finding } from '../../activities/look.js';
import type { Problem } from '../../cluster/problem.js';
import type { SshReport } from '../../hosts/ssh-check.js';
import type { Phase } from '../../plan/types.js';

/**
 * The file is right.
 * @printedBy validate
 */
export interface ValidObject {
  type: 'valid';
  /** Name of the cluster. */
  cluster: string;
  /** The warnings of the file once more, all at once. */
  warnings: Problem[];
}

/**
 * A first cluster.yaml was written.
 * @printedBy init
 */
export interface InitObject {
  type: 'init';
  /** Name of the cluster. */
  cluster: string;
  /** The file; null for `-`, and then `text` holds it. */
  path: string | null;
  /** What would be in the file. */
  text?: string;
  /** Its hosts. */
  hosts: {
    /** Name of the node. */
    name: string;
    /** Address that the cluster will use; null where it has to be filled in. */
    address: string | null;
    /** What it is. */
    role: 'control-plane' | 'worker' | 'etcd';
    /** What was seen there, or why nothing was, one sentence each. */
    remarks: string[];
  }[];
  /** The virtual IP, or the address of a load balancer that is there already; null where it has to be filled in. */
  endpoint: string | null;
  /** What the source says and the file does not, one line each. */
  leftOut: string[];
  /** What a person should know, one line each. */
  notes: string[];
  /** What is still to be done in the file: what `validate` would say. */
  problems: Problem[];
  /** Whether the file was written; false where it had just this content. */
  changed: boolean;
  /** Where what was there before is kept. */
  backup?: string;
}

/**
 * What is known of one step without having changed anything.
 * @printedBy plan
 */
export interface FindingObject {
  type: 'finding';
  /** Id of the step, such as `cp-2/join`. */
  step: string;
  /** Host of the step; null for what concerns all of them. */
  host: string | null;
  /** Phase of the install. */
  phase: Phase;
  /** What the step does, for people. */
  title: string;
  /**
   * `true`: it holds already. `to-do`: install would do it. `later`: it can be looked at when other steps are done.
   * `problem`: it is in the way, or could not be looked at.
   */
  state: Finding['state'];
  /** Of `true` and `to-do`: what was found on the host. */
  found?: string;
  /** Of `true` and `to-do`: what install would change, one line each; empty when nothing. */
  changes?: string[];
  /** What a person should know although it stops nothing, one line each. */
  warnings?: string[];
  /** Of `later`: the steps that come first. */
  after?: string[];
  /** Of `problem`: stable code, `KW` and three digits. */
  code?: string;
  /** Of `problem`: what is wrong, one problem a line. */
  message?: string;
  /** Of `problem`: what to do about it. */
  hint?: string;
}

/**
 * One thing in which `cluster.yaml` and the living cluster differ, and what becomes of it.
 * @printedBy plan
 */
export interface DifferenceObject extends Difference {
  type: 'difference';
}

/**
 * Something that could not be compared with the living cluster: nothing is known of it.
 * @printedBy plan
 */
export interface UncheckedObject {
  type: 'unchecked';
  /** What, and why. */
  what: string;
}

/** How many steps `plan` found in which state. */
export interface PlanSummary {
  /** Steps that hold already. */
  true: number;
  /** Steps that install would do. */
  toDo: number;
  /** Steps that can be looked at when others are done. */
  later: number;
  /** Steps that are in the way, or could not be looked at. */
  problems: number;
}

/**
 * The sum of a plan.
 * @printedBy plan
 */
export interface SummaryObject extends PlanSummary {
  type: 'summary';
  /** Name of the cluster. */
  cluster: string;
}

/**
 * How one host is reached, and what came of it.
 * @printedBy ssh-check
 */
export interface SshObject extends Omit<SshReport, 'problem'> {
  type: 'ssh';
  /** False when `error` says what is in the way. */
  ok: boolean;
  /** Why it cannot be reached. */
  error?: {
    /** Stable code, `KW` and three digits. */
    code: string;
    /** What happened. */
    message: string;
    /** What to do next. */
    hint?: string;
    /** Last lines of output, redacted. */
    output?: string;
  };
}

/**
 * The sum of an ssh-check.
 * @printedBy ssh-check
 */
export interface SshSummaryObject {
  type: 'ssh-summary';
  /** Name of the cluster. */
  cluster: string;
  /** How many hosts were looked at. */
  hosts: number;
  /** How many of them cannot be reached. */
  failed: number;
}

/**
 * The hosts of a cluster were taken from a run.
 * @printedBy unlock
 */
export interface UnlockedObject {
  type: 'unlocked';
  /** Name of the cluster. */
  cluster: string;
  /** Id of the run. */
  run: string;
  /** Hosts that the run held, and holds no more. */
  hosts: string[];
  /** Hosts that could not be asked. */
  unasked: {
    /** Name of the host. */
    host: string;
    /** Why it could not be asked. */
    why: string;
  }[];
}

/**
 * The administrator kubeconfig was written, or is there already.
 * @printedBy kubeconfig
 */
export interface KubeconfigObject {
  type: 'kubeconfig';
  /** File that holds it. */
  path: string;
  /** Control plane that it was read from. */
  host: string;
  /** False when the file held the same already. */
  changed: boolean;
  /** Copy of what was there before. */
  backup?: string;
}
