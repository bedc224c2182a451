import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleHandle,
  type ScheduleOptions,
} from '@temporalio/client';
import { type ScheduleKey, type ScheduleTiming, scheduleIdOf } from './schedule-keys.js';
import type { Engine } from './types.js';

/** What becomes of a schedule. */
export type ScheduleChange = 'pause' | 'resume' | 'remove';

/** Temporal's handle of a schedule, whether it is there or not. */
export function handleOf(engine: Engine, key: ScheduleKey): ScheduleHandle {
  return engine.client.schedule.getHandle(scheduleIdOf(key));
}

/** Makes a schedule, or gives one that is there what is new; whether it is paused stays. */
export async function writeSchedule(
  engine: Engine,
  key: ScheduleKey,
  definition: Pick<ScheduleOptions, 'spec' | 'action' | 'policies'>,
): Promise<void> {
  try {
    await engine.client.schedule.create({ scheduleId: scheduleIdOf(key), ...definition });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await handleOf(engine, key).update((previous) => ({ ...previous, ...definition }) as typeof previous);
  }
}

/** Pauses a schedule, has it go on, or removes it. @throws ScheduleNotFoundError where there is none */
export async function changeSchedule(engine: Engine, key: ScheduleKey, change: ScheduleChange): Promise<void> {
  const handle = handleOf(engine, key);
  const by = engine.client.options.identity;
  if (change === 'pause') await handle.pause(`paused by ${by}`);
  else if (change === 'remove') await handle.delete();
  else {
    // As a change of the schedule, so that Temporal notes when it was: it is not silent for the time of its pause.
    await handle.update(({ state, ...previous }) => ({
      ...previous,
      state: { ...state, paused: false, note: `resumed by ${by}` },
    }));
  }
}

/** When a schedule is due, as Temporal describes it; `nextAt` is missing while it is paused. Milliseconds. */
export function timingOf({ spec, state, info }: ScheduleDescription): ScheduleTiming & { nextAt?: number } {
  const [next] = info.nextActionTimes;
  return {
    everyMs: Number(spec.intervals?.[0]?.every ?? 0),
    paused: state.paused,
    changedAt: (info.lastUpdatedAt ?? info.createdAt).getTime(),
    ...(state.paused || next === undefined ? {} : { nextAt: next.getTime() }),
  };
}
