import type { HealthChannel } from '../cluster/health/settings.js';
import type { Cluster } from '../cluster/types.js';
import type { DeepLook, Depth } from './depth.js';
import type { ScenarioReport } from './drill-report.js';
import type { Operation } from './operations.js';
import type { Sight } from './sight.js';
import type { KnownFinding } from './since.js';
import type { WantedSnapshots } from './snapshot-age.js';
import type { ToldChannels } from './told.js';
import type { Trends } from './trends.js';
import type { Step } from './types.js';
import type { VerdictNews } from './verdict-news.js';

/**
 * What the actions of a plan mean. It changes when a step of the same name would do something else, or would need
 * something else to be done before: a run that was planned by another format is neither attached to nor carried out.
 * 1 is that of 0.1.0, whose inputs name none.
 */
export const PLAN_FORMAT = 2;

/** What a run is started with. It stands in the first event of its history, once: steps refer to it. */
export interface RunInput {
  /** Missing in runs of 0.1.0: `install`. */
  operation?: Operation;
  /** Format of the plan; missing in runs of 0.1.0: 1. */
  format?: number;
  cluster: Cluster;
  plan: Step[];
  /** SHA-256 of cluster and plan, in canonical JSON: the same plan attaches, another is refused. */
  planHash: string;
  /** Build of Kubewright that made the plan: version and commit. */
  build: string;
  /**
   * Whether the namespace knows Kubewright's search attributes; the client asks at start. An upsert of one that is not
   * registered fails the workflow task again and again, so where this is false or missing the workflow writes none.
   */
  searchAttributes?: boolean;
  /**
   * How long a step may be in trouble that may heal by itself, such as a host that does not answer, before a person is
   * asked; milliseconds. Missing in runs of 0.1.0: DEFAULT_PATIENCE_MS.
   */
  patienceMs?: number;
  /**
   * What becomes of a worker that has not answered for as long as patience lasts. `ask`, the default: a person is asked, and
   * it is tried on. `leave-out`: it is left out, as if a person had skipped it, and the result names it.
   */
  unreachableWorkers?: 'ask' | 'leave-out';
  /** Of a health check: what was found when it was planned. */
  findings?: HealthFinding[];
  /** Of a health check: what Temporal knew of the cluster when it was planned. */
  check?: CheckBackground;
}

/** What Temporal knows of a cluster when a check of it is planned. */
export interface CheckBackground {
  /** What the check before has found; missing where that could not be read, and then everything counts as new. */
  previous?: KnownFinding[];
  /** What channels were told last, by the checks before; missing where that could not be read. */
  told?: ToldChannels;
  /** What changes the cluster at that time. */
  during?: HeldBy;
  /** Set of a quick check alone: what stands of the latest deep one. */
  deep?: DeepLook;
  /**
   * Whether the namespace knows `KubewrightHealth`. The worker asks for each check: a schedule may be older than the attribute, and
   * one that is not registered must not be written (see `searchAttributes`).
   */
  healthAttribute?: boolean;
  /**
   * What checks before have seen of the hosts since an operation changed them last; missing where there is nothing of that kind, where
   * it could not be read, and while an operation is under way.
   */
  before?: Trends;
  /** Which snapshots of etcd there have to be, and on which hosts they are looked for; missing where the file names none. */
  snapshots?: WantedSnapshots;
  /** When the check began, milliseconds since the epoch. */
  begunAt?: number;
  /**
   * The record that the check was planned from; missing where none could be read, and in checks of earlier code. Where it is there the
   * input's `cluster` is what was applied last, as the control planes say, and who has only Temporal to ask can read it there.
   */
  applied?: AppliedMark;
}

/** Which record of what was applied was read. */
export interface AppliedMark {
  /** Its number: one that was written later has more. */
  generation: number;
  /** Build of Kubewright that applied it: version and commit. */
  build: string;
  /** When it was written, ISO 8601, UTC. */
  at: string;
}

/** An operation that changes a cluster. */
export interface HeldBy {
  /** What it carries out. */
  operation: Operation;
  /** Its workflow, `cluster/NAME`. */
  workflowId: string;
  /** Since when it runs, milliseconds since the epoch. */
  since: number;
}

/** What comes of the planning of a scheduled check while something changes the cluster: no check. */
export interface SkippedCheck {
  skipped: HeldBy;
}

/**
 * What a health check is started with, by a person or by a schedule that may be months old: whom to ask what was applied
 * last. The check is planned from that when it runs, by the worker that carries it out.
 */
export interface CheckRequest {
  /** The cluster as it was when the check was asked for: its control planes know better. */
  known: Cluster;
  /** See `RunInput`. */
  searchAttributes?: boolean;
  /** Set where a person has asked, and waits: the cluster is looked at even while something changes it. */
  asked?: true;
  /**
   * A quick check leaves out what needs a pod. Where no deep one has ended before it, or that cannot be read, it is a deep one: what
   * it leaves out would be taken for well. Missing: deep.
   */
  depth?: Depth;
}

/** What the child workflow of a group is started with. Its steps by value; the cluster stays with the root. */
export interface GroupInput extends Pick<RunInput, 'planHash' | 'build' | 'unreachableWorkers'> {
  /** Such as `group-07`. */
  group: string;
  /** The run whose input holds the cluster. */
  root: RunReference;
  cluster: string;
  format: number;
  patienceMs: number;
  /** Its steps; see `Group` in `cut.ts` for these two. */
  steps: Step[];
  awaited: Record<string, string[]>;
  /** Its hosts, all of which can be left out. */
  hosts: string[];
  /** What has ended elsewhere, and who was left out, before it was started. */
  ended: { id: string; data?: StepData }[];
  without: string[];
}

/** A run of a workflow, whose first event holds its input. */
export interface RunReference {
  workflowId: string;
  runId: string;
  /** Run id that it began with: a Reset makes another run, and keeps this. Missing in runs of 0.1.0. */
  first?: string;
}

/**
 * The one object that goes into every step's activity. It names cluster and plan by the run that was started with them
 * (see `RunsByReference`), so it is small however many hosts there are.
 */
export interface StepReference {
  /** The run whose first event holds cluster and plan. */
  root: RunReference;
  /** SHA-256 of both, as that run was started with. */
  planHash: string;
  /** Id of the step. */
  step: string;
  /** What the plan's actions mean (`PLAN_FORMAT`); a worker with another one refuses the step by name. */
  format: number;
  /** Build of Kubewright that made the plan, for messages. */
  build: string;
  /** Hosts that a person has left out, by name; missing where there are none. */
  without?: string[];
  /**
   * How long trouble that may heal by itself may last before the try fails for good, so that the workflow asks a person;
   * milliseconds. Missing: for ever.
   */
  patienceMs?: number;
  /** What the steps that it needs have found, by their ids; missing where they have found nothing to hand on. */
  inputs?: Record<string, StepData>;
}

/** What the activity is called with that tells a channel: where its settings stand, and what it is told. */
export interface TellReference {
  /** The check, whose first event holds the cluster. */
  root: RunReference;
  /** SHA-256 of cluster and plan, as the check was started with. */
  planHash: string;
  channel: HealthChannel;
  news: VerdictNews;
}

/** What came of telling a channel. */
export interface TellOutput {
  /** Set where it was told, and not everybody there hears of it. */
  undelivered?: { what: string; hint: string };
}

/** Small and plain, for later steps and for reports: at most DATA_LIMIT bytes as JSON. */
export type StepData = Record<string, string | number | boolean | null | string[]>;

/** Bytes of `data` that a step may hand on: it stands in the history, in the query's answer and in later steps' inputs. */
export const DATA_LIMIT = 2_048;

/** Bytes that a drill may report of one scenario: five of them stand in one result. */
export const MEASURED_LIMIT = 4_096;

/** Something that is not as it should be, found by a step that only looks. */
export interface HealthFinding {
  /** Stable code, `KW` and three digits. */
  code: string;
  /** The host that it is about; null for the cluster as a whole. */
  host: string | null;
  /** What was seen. */
  evidence: string;
  /** What to do about it; may be empty. */
  hint: string;
  /** In reports: id of the look that found it; missing for what was found when the check was planned. */
  look?: string;
  /** In reports: since when checks have found it again and again, milliseconds since the epoch. */
  since?: number;
  /** In reports of quick checks: when the deep check ended that has seen it; missing for what this check has seen itself. */
  seenAt?: number;
}

/**
 * Bytes of findings that a step may report: a fault of all hosts is told by the first of them. How many there were is
 * counted.
 */
export const FINDINGS_LIMIT = 8_192;

/** Findings that the result of one run or group names: what is wrong with all hosts is known by then. */
export const FINDINGS_NAMED = 200;

/** The one small object that comes out. */
export interface StepOutput {
  outcome: 'changed' | 'unchanged';
  /** One sentence for people: what was found or done. */
  summary: string;
  /** Of a step that only looks: what is wrong, as many as FINDINGS_LIMIT bytes hold. */
  findings?: HealthFinding[];
  /** How many more there were. */
  more?: number;
  /** Of a step that only looks: what it has seen besides. */
  seen?: Sight;
  /** For later steps and for reports. */
  data?: StepData;
  /** Of a drill: what was measured in one scenario, as small as `data`. */
  measured?: ScenarioReport;
}
