/**
 * What the page is told, and no more than it shows: plain data that both sides know. Texts are for people and free of control characters;
 * times are milliseconds since the epoch. It imports nothing that a browser has not.
 */

/** How something is, as a colour and a sign say it; the words say it, too. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'faint';

/** A cluster in the list. */
export interface ClusterLine {
  cluster: string;
  /** Such as `blocked`, `installing`, `installed`. */
  word: string;
  tone: Tone;
  /** When its latest operation began; missing for a cluster that is only checked from here. */
  startedAt?: number;
  /** When that ended. */
  closedAt?: number;
  /** Ids of blocked steps, as far as the list of Temporal holds them. */
  blocked: string[];
}

/** Scheduled health checks or drills of a cluster. */
export interface ScheduleLine {
  cluster: string;
  what: 'health checks' | 'drills';
  /** Such as `every 5 m, next 2026-03-02 09:35 UTC`. */
  rhythm: string;
  tone: Tone;
}

/** The list of clusters, and what is scheduled. */
export interface OverviewView {
  clusters: ClusterLine[];
  schedules: ScheduleLine[];
  /** Why the schedules are not known, where they are not. */
  schedulesUnread?: string;
}

/** A step of an operation. */
export interface StepView {
  id: string;
  title: string;
  phase: string;
  /** Null for what concerns all hosts. */
  host: string | null;
  state: 'waiting' | 'running' | 'done' | 'blocked' | 'skipped' | 'failed';
  startedAt?: number;
  endedAt?: number;
  /** What was found or done. */
  summary?: string;
  changed?: boolean;
  /** While it is tried: number of the try, and how far that is. */
  attempt?: number;
  stage?: string;
  /** Latest lines of output that were seen, the last one last. */
  lines?: string[];
  /** Why the last try failed. */
  failure?: string;
  /** When it is tried again. */
  nextAttemptAt?: number;
  paused?: boolean;
}

/** A step that waits for a person. */
export interface BlockedView {
  step: string;
  host: string | null;
  /** Number of this blocking: a decision that names it is about no later one. */
  blocking: number;
  code: string;
  message: string;
  hint: string;
  lines: string[];
  tries: number;
  since: number;
  skippable: boolean;
  /** It is tried all the same, and goes on by itself when the trouble is over. */
  retrying: boolean;
}

/** A decision that was taken. */
export interface DecisionView {
  verb: string;
  /** Which steps, in words. */
  steps: string;
  by?: string;
  reason?: string;
  at: number;
  /** Why it had no effect. */
  ignored?: string;
}

/** What changes a cluster, or has changed it last. */
export interface OperationView {
  runId: string;
  /** Such as `Install demo`. */
  title: string;
  /** Such as `install`. */
  noun: string;
  word: string;
  tone: Tone;
  isRunning: boolean;
  startedAt: number;
  closedAt?: number;
  /** How many steps there are, and how many of them have ended. */
  total: number;
  ended: number;
  phases: { name: string; title: string }[];
  /** False: `steps` holds those that have changed, the others are as they were told. */
  isWhole: boolean;
  steps: StepView[];
  blocked: BlockedView[];
  decisions: DecisionView[];
  /** What a person should know besides: that no worker answers, that workers fail at it. */
  notes: string[];
  /** Why it ended otherwise than well. */
  failure?: { code: string; message: string; hint: string };
}

/** A fact of a cluster. */
export interface Fact {
  label: string;
  text: string;
  tone?: Tone;
  /** Sentences below it. */
  more: string[];
}

/** What a health check has found. */
export interface FindingView {
  code: string;
  text: string;
  hint: string;
}

/** A host of the topology. */
export interface HostView {
  name: string;
  address: string;
  tone: Tone;
  /** How it is: `Ready`, `not Ready`, codes. */
  words: string[];
  kubelet?: string;
  holdsVirtualIp: boolean;
  leadsEtcd: boolean;
}

/** Hosts of a role. */
export interface RoleView {
  role: 'director' | 'control-plane' | 'etcd' | 'worker';
  /** Such as `3 control planes`. */
  title: string;
  hosts: HostView[];
}

/** How a cluster stands: what `kubewright status` shows. */
export interface StatusView {
  cluster: string;
  /** In a word. */
  state: string;
  tone: Tone;
  facts: Fact[];
  findings: FindingView[];
  /** How many more there are than are named. */
  moreFindings: number;
  /** Where the API is; missing where that is not known. */
  endpoint?: string;
  roles: RoleView[];
  /** What could not be seen, and why. */
  notKnown: { what: string; why: string }[];
}

/** What a cell of the last day was like. */
export type DayCell = 'ok' | 'degraded' | 'down' | 'unknown' | 'skipped' | 'none';

/** The last day of a cluster. */
export interface DayView {
  from: number;
  to: number;
  slotMs: number;
  /** In a sentence. */
  caption: string;
  rows: { component: string; cells: DayCell[] }[];
  legend: { cell: DayCell; meaning: string }[];
}

/** An element of a picture; the page makes it of the same class. */
export interface MarkView {
  tag: 'text' | 'rect' | 'line';
  attributes: Record<string, string | number>;
  text?: string;
}

/** A picture, with what it shows in words. */
export interface DrawingView {
  width: number;
  height: number;
  title: string;
  words: string;
  marks: MarkView[];
}

/** The last fail-over drill. */
export interface DrillView {
  /** In a sentence. */
  caption: string;
  tone: Tone;
  /** Missing where nothing was measured. */
  table?: { head: string[]; rows: string[][]; units: string };
  /** Scenarios that were left out, and why. */
  left: string[];
  problems: FindingView[];
  timeline?: DrawingView;
}

/** What fail-over drills have measured. */
export interface DrillsView {
  last?: DrillView;
  /** Those before it, one line each, the latest first. */
  earlier: string[];
}

/** What the page is sent, by the names of the events. */
export interface Told {
  overview: OverviewView;
  /** Null where nothing has ever changed the cluster. */
  operation: OperationView | null;
  status: StatusView;
  day: DayView;
  drills: DrillsView;
  /** What could not be asked, one sentence each; empty when all is well again. */
  troubles: string[];
}

/** What a person has decided on the page. */
export interface DecisionRequest {
  verb: 'retry' | 'skip' | 'abort';
  /** A step, `*` for all blocked ones; nothing for an abort. */
  step?: string;
  /** The blocking that it is about. */
  blocking?: number;
  reason?: string;
}

/** What became of it. */
export interface DecisionAnswer {
  message: string;
}

/** That something was refused, or could not be done. */
export interface Refusal {
  code: string;
  message: string;
  hint: string;
}
