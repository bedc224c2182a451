import { type ScheduleKey, type ScheduleTiming, silentSince } from '../schedule-keys.js';
import { ownQueue } from '../worker/queue.js';

/** A schedule, as a worker sees it. */
export interface WatchedSchedule extends ScheduleKey, ScheduleTiming {
  /** Task queue on which what it starts looks for a worker. */
  queue: string;
}

/** What a worker knows besides. Times are milliseconds since the epoch. */
export interface Watch {
  /** The worker's own task queue. */
  queue: string;
  /** Since when it has taken work from there without a break; 0 where that does not matter. */
  servedSince: number;
  now: number;
}

/**
 * Whether a schedule may have gone silent although a worker was there for what it starts; `heard` decides. While nobody was
 * there, nothing could be heard, so that time does not count. A paused schedule is silent because somebody wants it to be.
 * Pure.
 *
 * @param heard when its latest check ended or its latest drill began, where that is known
 */
export function isSilentThoughServed(schedule: WatchedSchedule, watch: Watch, heard = 0): boolean {
  const { queue, servedSince, now } = watch;
  return (
    schedule.queue === queue && silentSince(schedule, Math.max(heard, servedSince), now, schedule.kind) !== undefined
  );
}

/**
 * Whether what a schedule starts goes to the queue of a worker that a command brought for this cluster alone, beside the queue of the
 * service: such a worker does not come back by itself. Pure.
 */
export function hasQueueOfItsOwn({ cluster, paused, queue }: WatchedSchedule, { queue: taskQueue }: Watch): boolean {
  return !paused && queue === ownQueue({ taskQueue }, cluster);
}
