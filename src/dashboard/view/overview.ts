import type { DrillSchedule, HealthSchedule, RunListing } from '../../engine/index.js';
import type { Told as Answer } from '../../engine/told.js';
import { drillRhythm } from '../../terminal/drill-schedules.js';
import { rhythm } from '../../terminal/health.js';
import { stateOf, styleOf } from '../../terminal/listing.js';
import { printable } from '../../terminal/text.js';
import type { ClusterLine, OverviewView, ScheduleLine } from '../told.js';
import { toneOf } from './tone.js';

/** What is scheduled in the namespace. */
export interface Scheduled {
  checks: HealthSchedule[];
  drills: DrillSchedule[];
}

/** All clusters that Temporal knows, those that wait for a person first, and the schedules of their checks and drills. Pure. */
export function overviewOf(listings: RunListing[], schedules: Answer<Scheduled>): OverviewView {
  const { checks: scheduled, drills } = schedules.value ?? { checks: [], drills: [] };
  const installed = new Set(listings.map(({ cluster }) => cluster));
  const checkedOnly = scheduled.filter(({ cluster }) => !installed.has(cluster));
  return {
    clusters: [
      ...listings.map(lineOf),
      ...checkedOnly.map(({ cluster }): ClusterLine => ({ cluster, word: 'checked', tone: 'faint', blocked: [] })),
    ].sort(byNeed),
    schedules: [
      ...scheduled.map((each) => ({ ...scheduleOf(each), what: 'health checks' as const, rhythm: rhythm(each) })),
      ...drills.map((each) => ({ ...scheduleOf(each), what: 'drills' as const, rhythm: drillRhythm(each) })),
    ],
    ...(schedules.why === undefined ? {} : { schedulesUnread: printable(schedules.why) }),
  };
}

function scheduleOf({
  cluster,
  paused,
  nextAt,
}: HealthSchedule | DrillSchedule): Pick<ScheduleLine, 'cluster' | 'tone'> {
  return { cluster, tone: paused || nextAt === undefined ? 'warn' : 'good' };
}

function lineOf(listing: RunListing): ClusterLine {
  const { cluster, blocked, startedAt, closedAt } = listing;
  const when = { startedAt, ...(closedAt === undefined ? {} : { closedAt }) };
  return { cluster, word: stateOf(listing), tone: toneOf(styleOf(listing)), blocked, ...when };
}

/** The names decide where the need is the same: a list that moves cannot be read. */
function byNeed(one: ClusterLine, other: ClusterLine): number {
  const isBlocked = Number(other.blocked.length > 0) - Number(one.blocked.length > 0);
  return isBlocked || (one.cluster < other.cluster ? -1 : 1);
}
