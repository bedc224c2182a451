import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from '../../cluster/types.js';
import { etcdHosts } from '../../components/registry/plan.js';
import type { StartOptions } from '../../engine/runs/start-run.js';
import { messageOf } from '../../errors.js';
import type { Hosts } from '../../hosts/types.js';
import { planCheck } from '../../plan/check.js';
import { type DeepLook, type Depth, standing } from '../../plan/depth.js';
import type {
  AppliedMark,
  CheckBackground,
  CheckRequest,
  HealthFinding,
  RunInput,
  SkippedCheck,
} from '../../plan/run.js';
import { prepareRun } from '../../prepare-run.js';
import { type AppliedRecord, readAppliedSpec } from '../applied/record/read.js';

/** Enough for a look at each host; a check that waits longer for one is late for the next. */
const PATIENCE_MS = 30_000;

/** Before the record is asked for once more: as long as before the second look at anything else, an election is over by then. */
const ASK_AGAIN_MS = 5_000;

/**
 * Asks Temporal what it knows of a cluster, for a quick check with what the latest deep one has found. What it does not tell is
 * missing: it never fails.
 */
export type ReadBackground = (cluster: string, depth: Depth) => Promise<CheckBackground>;

/**
 * Plans a health check from what was applied last, as the control planes say. Where they cannot say, it is planned from
 * what was known when it was asked for, and that is the check's first finding. A scheduled check of a cluster that something
 * changes is left out: what it would find is the change.
 */
export async function prepareCheck(
  { known, searchAttributes, asked, depth = 'deep' }: CheckRequest,
  { hosts, readBackground, signal }: Surroundings,
): Promise<RunInput | SkippedCheck> {
  const reading = readBackground(known.name, depth);
  if (asked !== true) {
    // No host hears of a check that is left out.
    const { during } = await reading;
    if (during !== undefined) return { skipped: during };
  }
  const [{ deep, ...check }, recorded] = await Promise.all([reading, lastApplied(known, hosts, signal)]);
  const { findings, applied } = recorded;
  const cluster = withChannelsOf(known, recorded.cluster);
  const { input, background } = plannedFrom(cluster, deep, depth);
  const marked = { ...check, ...background, ...(applied === undefined ? {} : { applied }) };
  return { ...input, searchAttributes, patienceMs: PATIENCE_MS, findings, check: marked };
}

/**
 * The run of a check, and what it has to know of the latest deep one and of the file. Pure. A quick one is planned only behind a deep
 * one: what it leaves out would be taken for well.
 *
 * @param deep what Temporal knows of the latest deep check; undefined where none is known
 */
export function plannedFrom(
  cluster: Cluster,
  deep: DeepLook | undefined,
  depth: Depth,
): { input: StartOptions; background: Pick<CheckBackground, 'deep' | 'snapshots'> } {
  const background = snapshotsOf(cluster);
  if (depth === 'deep' || deep === undefined) return { input: prepareRun('check', cluster), background };
  const plan = planCheck(cluster, depth);
  const hosts = cluster.hosts.map(({ name }) => name);
  return {
    input: prepareRun('check', cluster, plan),
    background: { ...background, deep: standing(deep, plan, hosts) },
  };
}

/**
 * What a check asks for and whom it tells, with which secrets and programs of the worker's machine, is said by who has asked for it, never
 * by the record: that lies in the cluster, and whoever may write there could otherwise have a program of the worker's machine run.
 */
function withChannelsOf({ health }: Cluster, { health: _, ...applied }: Cluster): Cluster {
  return health === undefined ? applied : { ...applied, health };
}

/** Which snapshots the file asks for, and where: workflow code knows of no host whether it holds a member. */
function snapshotsOf(cluster: Cluster): Pick<CheckBackground, 'snapshots'> {
  const wanted = cluster.health?.snapshots;
  return wanted === undefined ? {} : { snapshots: { ...wanted, hosts: etcdHosts(cluster).map(({ name }) => name) } };
}

/** What the planning of a check works with. */
export interface Surroundings {
  hosts: Hosts;
  readBackground: ReadBackground;
  signal: AbortSignal;
}

/**
 * What was applied last, as the control planes say. Where they cannot say, the cluster is the one that was known.
 */
export async function lastApplied(known: Cluster, hosts: Hosts, signal: AbortSignal): Promise<LastApplied> {
  try {
    const hostNamed = (name: string) => hosts.get(name);
    const record = await askTwice(() => readAppliedSpec({ cluster: known, hostNamed, signal }), signal);
    if (record.answer.is !== 'yes')
      return unknownFor(known, `what was applied last is not known (${reasonIn(record)})`);
    const { cluster, leftOut, generation, build, at } = record.answer.value;
    // Those were no part of it; cluster.yaml is asked for them at the next install.
    const members = cluster.hosts.filter(({ name }) => !leftOut.includes(name));
    return {
      cluster: { ...cluster, hosts: members },
      findings: copiesAmiss(record),
      applied: { generation, build, at },
    };
  } catch (error) {
    signal.throwIfAborted();
    return unknownFor(known, `what was applied last cannot be read: ${messageOf(error)}`);
  }
}

/** What is known of what was applied last. */
export interface LastApplied {
  cluster: Cluster;
  findings: HealthFinding[];
  /** Missing where nobody says what it was: `cluster` is what was known then, and `unknown` says why. */
  applied?: AppliedMark;
  unknown?: string;
}

function unknownFor(known: Cluster, why: string): LastApplied {
  const evidence = `${why}: the check looks at the hosts that were known when it was set up`;
  return { cluster: known, findings: [finding(evidence)], unknown: why };
}

/**
 * One bad look is no alarm, and no look of the plan comes back to this one. What took longer than the patience of a look was no
 * moment's trouble, and a second time would outlast the activity.
 */
async function askTwice(ask: () => Promise<AppliedRecord>, signal: AbortSignal): Promise<AppliedRecord> {
  const beganAt = Date.now();
  const first = ask();
  const isKnown = await first.then(
    ({ answer }) => answer.is === 'yes',
    () => false,
  );
  if (isKnown || Date.now() - beganAt > PATIENCE_MS) return first;
  await pause(ASK_AGAIN_MS, undefined, { signal });
  return ask();
}

function reasonIn({ answer }: AppliedRecord): string {
  return answer.is === 'no' ? answer.evidence : answer.is === 'unknown' ? answer.why : '';
}

/** A copy that is lost or was changed is made anew by the next install; until then there is one less. */
function copiesAmiss({ copies }: AppliedRecord): HealthFinding[] {
  return copies
    .filter(({ state }) => state === 'missing' || state === 'edited')
    .map(({ host, state }) => {
      const place = host === null ? 'the ConfigMap kubewright-applied-spec in kube-system' : `the copy on ${host}`;
      return { ...finding(`of the record of what was applied, ${place} is ${state}`), host };
    });
}

function finding(evidence: string): HealthFinding {
  const hint =
    '`kubewright plan cluster.yaml` shows what differs; `kubewright install cluster.yaml` writes the record anew.';
  return { code: 'KW603', host: null, evidence, hint };
}
