import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedDataConverter } from '@temporalio/common';
import { lastHeard } from '../health-news.js';
import { livingBuilds } from '../runs/pollers.js';
import { type ScheduleKey, type ScheduleKind, scheduleIdOf } from '../schedule-keys.js';
import { hasQueueOfItsOwn, isSilentThoughServed, type Watch } from './judge.js';
import {
  listStored,
  moveToQueue,
  readStored,
  remake,
  restoreKept,
  type StoredSchedule,
  type Writer,
} from './stored.js';

/** Time between two looks at the schedules. */
const LOOK_MS = 60_000;
/** A look that comes later than this after the last one: the machine slept, and nothing was served meanwhile. */
const GAP_MS = 3 * LOOK_MS;
/** A worker that a command brought, or its server, starts again within this. */
const ABSENCE_MS = 2 * 60_000;

/** A worker that cares for schedules. */
export interface CaringWorker extends Writer {
  taskQueue: string;
  converter: LoadedDataConverter;
  /** Whether it takes over schedules whose own worker is gone: the service alone, for it is the one that stays. */
  adopts: boolean;
  /** Told, one sentence each, what was done and what could not be looked at. */
  log: (line: string) => void;
  /** The clock, in milliseconds since the epoch, and how it is waited; the machine's unless given. */
  now?: () => number;
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Keeps the schedules of health checks and drills going while a worker runs. A server may lose a schedule's timer and go on naming a
 * next time (temporal#11869), so a schedule that has said nothing for longer than `silentSince` allows, while this worker was
 * there for it, is made anew.
 */
export class KeptSchedules {
  /** When a schedule's own queue was first seen without a worker, by the schedule's id. */
  private readonly abandonedSince = new Map<string, number>();
  /** When this worker made a schedule anew, by its id: the server's clock may be another, and say that it was long ago. */
  private readonly remadeAt = new Map<string, number>();
  private servedSince = 0;
  private lookedAt = 0;

  constructor(private readonly worker: CaringWorker) {}

  /**
   * Looks about every minute from now on, when the worker takes work, until `signal`. Never throws: what cannot be looked at is
   * told, and looked at again.
   */
  async keep(signal: AbortSignal): Promise<void> {
    const { wait = patiently } = this.worker;
    this.servedSince = this.now();
    this.lookedAt = this.servedSince;
    while (!signal.aborted) {
      await wait(LOOK_MS, signal);
      if (signal.aborted) return;
      const now = this.now();
      if (now - this.lookedAt > GAP_MS) this.servedSince = now;
      this.lookedAt = now;
      await this.look().catch((error: unknown) => {
        // Who does not answer may not have handed out work either.
        this.servedSince = now;
        this.worker.log(`The schedules could not be looked at: ${error}`);
      });
    }
  }

  private now(): number {
    return (this.worker.now ?? Date.now)();
  }

  private async look(): Promise<void> {
    const { worker } = this;
    const { schedules, kept } = await listStored(worker);
    for (const key of kept) {
      if (await restoreKept(worker, key, this.lookedAt - LOOK_MS)) {
        worker.log(
          `${key.cluster}: its scheduled ${NOUNS[key.kind]} were lost while they were made anew; they are back`,
        );
      }
    }
    for (const key of schedules) {
      const schedule = await readStored(worker, key);
      if (schedule !== undefined) await this.careFor(schedule);
    }
  }

  private async careFor(schedule: StoredSchedule): Promise<void> {
    // A drill is heard of when it begins, for which no worker is needed.
    const served = schedule.kind === 'drill' ? 0 : this.servedSince;
    const servedSince = Math.max(served, this.remadeAt.get(scheduleIdOf(schedule)) ?? 0);
    const watch: Watch = { queue: this.worker.taskQueue, servedSince, now: this.lookedAt };
    if (this.worker.adopts && hasQueueOfItsOwn(schedule, watch)) await this.adoptAbandoned(schedule);
    // Asked in this order: nearly always the first answer is enough, and it costs nothing.
    if (!isSilentThoughServed(schedule, watch)) return;
    const heard = await this.heardOf(schedule);
    if (!isSilentThoughServed(schedule, watch, heard) || (await this.isUnderWay(schedule))) return;
    if (!(await remake(this.worker, schedule))) return;
    this.remadeAt.set(scheduleIdOf(schedule), this.lookedAt);
    const since = new Date(Math.max(heard ?? 0, schedule.changedAt)).toISOString();
    const every = `${schedule.everyMs / 1000} s`;
    this.worker.log(
      `${schedule.cluster}: no ${SILENCES[schedule.kind]} since ${since}, and one is due every ${every}: the schedule was made anew`,
    );
  }

  private async heardOf({ cluster, kind, actedAt }: StoredSchedule): Promise<number | undefined> {
    return kind === 'drill' ? actedAt : lastHeard(this.worker, { cluster, depth: kind });
  }

  private async adoptAbandoned(schedule: StoredSchedule): Promise<void> {
    const { cluster, queue } = schedule;
    const id = scheduleIdOf(schedule);
    if ((await livingBuilds(this.worker, queue)).length > 0) {
      this.abandonedSince.delete(id);
      return;
    }
    const since = this.abandonedSince.get(id) ?? this.lookedAt;
    this.abandonedSince.set(id, since);
    if (this.lookedAt - since < ABSENCE_MS) return;
    await moveToQueue(this.worker, schedule, this.worker.taskQueue);
    this.abandonedSince.delete(id);
    this.worker.log(
      `${cluster}: nobody works on ${queue} any more, so its scheduled ${NOUNS[schedule.kind]} come here from now on`,
    );
  }

  /** Whether something that it has started is under way: then the schedule has done its part, and the next ones wait for it. */
  private async isUnderWay(key: ScheduleKey): Promise<boolean> {
    const { workflowService, namespace } = this.worker;
    const query = `ExecutionStatus = 'Running' AND TemporalScheduledById = '${scheduleIdOf(key)}'`;
    const { executions } = await workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
    return (executions ?? []).length > 0;
  }
}

async function patiently(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

const NOUNS: Readonly<Record<ScheduleKind, string>> = {
  deep: 'health checks',
  quick: 'health checks',
  drill: 'drills',
};

const SILENCES: Readonly<Record<ScheduleKind, string>> = {
  deep: 'scheduled health check has ended',
  quick: 'quick health check has ended',
  drill: 'scheduled drill has begun',
};
