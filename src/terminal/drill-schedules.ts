import type { DrillNews, DrillRhythm, DrillSchedule } from '../engine/index.js';
import { SCENARIOS } from '../plan/drill-report.js';
import { often } from './health.js';
import { printable, utcMinute } from './text.js';

/** "demo: every 30 d, next 2026-12-28 09:30 UTC (balancer, etcd-leader)". */
export function drillScheduleLine(schedule: DrillSchedule): string {
  return `${schedule.cluster}: ${drillRhythm(schedule)} (${whichOf(schedule)})`;
}

/** "every 30 d, next 2026-12-28 09:30 UTC". */
export function drillRhythm({ everyMs, paused, nextAt }: Pick<DrillSchedule, 'everyMs' | 'paused' | 'nextAt'>): string {
  const next = paused ? 'paused' : nextAt === undefined ? 'no drill is due' : `next ${utcMinute(nextAt)} UTC`;
  return `every ${often(everyMs)}, ${next}`;
}

function whichOf({ options: { only, power, movePods } }: DrillSchedule): string {
  const all = power === true ? 'all that are possible' : 'all that are possible without a power command';
  const which = only === undefined ? all : SCENARIOS.filter((each) => only.includes(each)).join(', ');
  return movePods === true ? `${which}; waits for pods` : which;
}

/** How many are told before they are agreed to. */
const TOLD = 3;

/** When drills will be, for who is about to agree to them. */
export function dueLines({ everyMs, firstAt }: DrillRhythm): string[] {
  const times = Array.from({ length: TOLD }, (_, index) => `${utcMinute(firstAt + index * everyMs)} UTC`);
  return [
    `It does so every ${often(everyMs)} from now on, without asking again. The next ones: ${times.join(', ')}.`,
    'A drill is left out while something else changes the cluster, and breaks nothing where a health check finds something.',
  ];
}

/** What a person should know of scheduled drills besides when the next one is due; none where all is as it should be. */
export function drillNewsLines({ schedule, silentSince, last }: DrillNews): string[] {
  if (schedule === undefined) return [];
  const silence =
    silentSince === undefined
      ? []
      : [
          `No drill has begun since ${utcMinute(silentSince)} UTC, and one is due every ${often(schedule.everyMs)}: the server was not there when it was, or has lost the schedule.`,
        ];
  const why = last?.why;
  const untold =
    why === undefined || last === undefined ? [] : [`${utcMinute(last.at)} UTC: ${printable(why.message)}.`];
  return [...silence, ...untold];
}
