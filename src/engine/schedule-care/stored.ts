import { randomUUID } from 'node:crypto';
import type { temporal } from '@temporalio/proto';
import { milliseconds } from '../runs/history-fold.js';
import { type ScheduleKey, scheduleIdOf, scheduleOfId } from '../schedule-keys.js';
import { type Asked, grpcCode, NOT_FOUND } from '../versions/deployment.js';
import type { WatchedSchedule } from './judge.js';

/** A schedule as the server keeps it: with its payloads as they are, whoever can read them. */
export interface StoredSchedule extends WatchedSchedule {
  /** When it started something last, milliseconds since the epoch; 0 where it has not since it was made. */
  actedAt: number;
  schedule: temporal.api.schedule.v1.ISchedule;
  memo?: temporal.api.common.v1.IMemo | null;
  searchAttributes?: temporal.api.common.v1.ISearchAttributes | null;
}

/** Ids of copies that are kept while a schedule is made anew: none of them counts as a schedule of ours. */
const KEPT = 'kept/';
/** gRPC: what is to be made is there. */
const ALREADY_EXISTS = 6;

/** Who writes, in Temporal's records. */
export interface Writer extends Asked {
  identity: string;
}

/** What the namespace holds: schedules, and those of which a copy was left by who made one anew. */
export async function listStored({
  workflowService,
  namespace,
}: Asked): Promise<{ schedules: ScheduleKey[]; kept: ScheduleKey[] }> {
  const ids: string[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await workflowService.listSchedules({ namespace, maximumPageSize: 100, nextPageToken });
    ids.push(...(page.schedules ?? []).map(({ scheduleId }) => scheduleId ?? ''));
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
  return {
    schedules: ids.flatMap((id) => scheduleOfId(id) ?? []),
    kept: ids.filter((id) => id.startsWith(KEPT)).flatMap((id) => scheduleOfId(id.slice(KEPT.length)) ?? []),
  };
}

function keptIdOf(key: ScheduleKey): string {
  return `${KEPT}${scheduleIdOf(key)}`;
}

/** A schedule; undefined where there is none. */
export function readStored(asked: Asked, key: ScheduleKey): Promise<StoredSchedule | undefined> {
  return read(asked, key, scheduleIdOf(key));
}

async function read(
  { workflowService, namespace }: Asked,
  { cluster, kind }: ScheduleKey,
  scheduleId: string,
): Promise<StoredSchedule | undefined> {
  try {
    const { schedule, info, memo, searchAttributes } = await workflowService.describeSchedule({
      namespace,
      scheduleId,
    });
    if (!schedule) return undefined;
    return {
      cluster,
      kind,
      everyMs: milliseconds(schedule.spec?.interval?.[0]?.interval),
      paused: schedule.state?.paused ?? false,
      changedAt: milliseconds(info?.updateTime ?? info?.createTime),
      queue: schedule.action?.startWorkflow?.taskQueue?.name ?? '',
      actedAt: Math.max(0, ...(info?.recentActions ?? []).map(({ actualTime }) => milliseconds(actualTime))),
      schedule,
      memo,
      searchAttributes,
    };
  } catch (error) {
    if (grpcCode(error) === NOT_FOUND) return undefined;
    throw error;
  }
}

/** Has what a schedule starts go to another task queue, and leaves all else of it as it is. */
export async function moveToQueue(writer: Writer, stored: StoredSchedule, queue: string): Promise<void> {
  const { workflowService, namespace, identity } = writer;
  const { schedule } = stored;
  const { startWorkflow: before } = schedule.action ?? {};
  const startWorkflow = { ...before, taskQueue: { ...before?.taskQueue, name: queue } };
  await workflowService.updateSchedule({
    namespace,
    scheduleId: scheduleIdOf(stored),
    schedule: { ...schedule, action: { startWorkflow } },
    identity,
    requestId: randomUUID(),
  });
}

/**
 * Removes a schedule and makes it anew with the same spec, action and policies: on a server that has lost its timer no change
 * of it brings that back. A paused copy stands beside it meanwhile, so that whoever is killed in between loses nothing
 * (`restoreKept`), and two workers do not do it at once.
 *
 * @returns false where another worker does it, somebody has changed or paused it meanwhile, or it is gone
 */
export async function remake(writer: Writer, seen: StoredSchedule): Promise<boolean> {
  const { schedule } = seen;
  const copy = { ...schedule, state: { ...schedule.state, paused: true } };
  if (!(await create(writer, keptIdOf(seen), { ...seen, schedule: copy }))) return false;
  const present = await readStored(writer, seen);
  const isSame = present !== undefined && !present.paused && present.changedAt === seen.changedAt;
  if (isSame) {
    await remove(writer, scheduleIdOf(seen));
    await create(writer, scheduleIdOf(seen), seen);
  }
  await remove(writer, keptIdOf(seen));
  return isSame;
}

/**
 * Ends what a worker has begun that was killed while it made a schedule anew: it is made from the copy, where it is missing.
 *
 * @param before only a copy that was made before, milliseconds since the epoch: somebody may be busy with a younger one
 * @returns whether the schedule was missing
 */
export async function restoreKept(writer: Writer, key: ScheduleKey, before: number): Promise<boolean> {
  const kept = await read(writer, key, keptIdOf(key));
  if (kept === undefined || kept.changedAt > before) return false;
  const { schedule } = kept;
  const original = { ...kept, schedule: { ...schedule, state: { ...schedule.state, paused: false } } };
  const isMade = await create(writer, scheduleIdOf(key), original);
  await remove(writer, keptIdOf(key));
  return isMade;
}

/** @returns false where there is one of that id */
async function create(
  { workflowService, namespace, identity }: Writer,
  scheduleId: string,
  { schedule, memo, searchAttributes }: StoredSchedule,
): Promise<boolean> {
  const requestId = randomUUID();
  try {
    await workflowService.createSchedule({
      namespace,
      scheduleId,
      schedule,
      memo,
      searchAttributes,
      identity,
      requestId,
    });
    return true;
  } catch (error) {
    if (grpcCode(error) === ALREADY_EXISTS) return false;
    throw error;
  }
}

async function remove({ workflowService, namespace, identity }: Writer, scheduleId: string): Promise<void> {
  try {
    await workflowService.deleteSchedule({ namespace, scheduleId, identity });
  } catch (error) {
    if (grpcCode(error) !== NOT_FOUND) throw error;
  }
}
