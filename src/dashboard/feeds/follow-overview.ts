import { told } from '../../engine/told.js';
import type { DashboardReader } from '../reader.js';
import { overviewOf } from '../view/overview.js';
import { againAndAgain } from './again-and-again.js';
import type { Tell } from './shared-feeds.js';
import { troubleOf } from './trouble.js';

const PAUSE_MS = 800;
/** Schedules change by hand alone, and each is a question of its own. */
const SCHEDULES_MS = 10_000;

/** Follows the list of clusters. */
export async function followOverview(reader: DashboardReader, tell: Tell, signal: AbortSignal): Promise<void> {
  let schedules: Awaited<ReturnType<typeof askSchedules>> | undefined;
  let askedAt = 0;
  const ask = async (): Promise<void> => {
    const clusters = await reader.clusters();
    if (schedules === undefined || Date.now() - askedAt > SCHEDULES_MS) {
      // Who may not look at schedules is told the clusters all the same.
      schedules = await askSchedules(reader);
      askedAt = Date.now();
    }
    tell('overview', overviewOf(clusters, schedules));
  };
  const onTrouble = (failure: unknown) => tell('troubles', failure === undefined ? [] : [troubleOf(failure)]);
  await againAndAgain(ask, { pauseMs: PAUSE_MS, signal, onTrouble });
}

function askSchedules(reader: DashboardReader) {
  return told(reader.schedules());
}
