import type { ClusterStatus } from '../../engine/index.js';
import type { DashboardReader } from '../reader.js';
import { dayOf } from '../view/day.js';
import { drillsOf } from '../view/drills.js';
import { operationOf } from '../view/operation.js';
import { statusOf } from '../view/status.js';
import { againAndAgain } from './again-and-again.js';
import { SeenOutput } from './seen-output.js';
import type { Tell } from './shared-feeds.js';
import { troubleOf, UNANSWERED } from './trouble.js';

/** Between two looks at what may have changed, in milliseconds: with the page's own work an update is there within a second. */
const PAUSE_MS = 500;
/** All else that a status holds (what was applied, schedules) is read anew after so long, however quiet it is. */
const STATUS_MS = 10_000;
/** Cells of the last day move on by themselves. */
const DAY_MS = 60_000;

/** Follows one cluster: its operations step by step, and how it stands besides. */
export async function followCluster(
  reader: DashboardReader,
  cluster: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  const troubles = new Troubles(tell);
  const news = new News();
  await Promise.all([
    againAndAgain(() => followSteps(reader, cluster, { tell, signal, troubles, news }), {
      pauseMs: PAUSE_MS,
      signal,
      onTrouble: (failure) => troubles.of('operation', failure),
    }),
    againAndAgain(standing(reader, cluster, tell, news), {
      pauseMs: PAUSE_MS,
      signal,
      onTrouble: (failure) => troubles.of('status', failure),
    }),
  ]);
}

/** Whether something has happened that the rest of the status depends on. */
class News {
  isThere = true;
  private shape = '';

  /** @param shape of an operation: another one is news */
  seen(shape: string): void {
    if (shape !== this.shape) this.isThere = true;
    this.shape = shape;
  }
}

/** What cannot be asked, told as one list. */
class Troubles {
  private readonly known = new Map<string, string>();

  constructor(private readonly tell: Tell) {}

  /** @param failure of a source, or its words; undefined: there is none any more */
  of(source: string, failure: unknown): void {
    if (failure === undefined) this.known.delete(source);
    else this.known.set(source, typeof failure === 'string' ? failure : troubleOf(failure));
    this.tell('troubles', [...new Set(this.known.values())]);
  }
}

interface Following {
  tell: Tell;
  signal: AbortSignal;
  troubles: Troubles;
  news: News;
}

async function followSteps(
  reader: DashboardReader,
  cluster: string,
  { tell, signal, troubles, news }: Following,
): Promise<void> {
  const output = new SeenOutput();
  const onUnreachable = (failures: number) => troubles.of('operation', failures === 0 ? undefined : UNANSWERED);
  for await (const run of reader.operations(cluster, { signal, intervalMs: PAUSE_MS, onUnreachable })) {
    troubles.of('operation', undefined);
    tell('operation', run === undefined ? null : operationOf(run, output.add(run)));
    news.seen(run === undefined ? '' : `${run.runId} ${run.status} ${run.progress.blocked.map(({ step }) => step)}`);
  }
}

/** Asks one small question each time, and for the whole only where its answer is another one. */
function standing(reader: DashboardReader, cluster: string, tell: Tell, news: News): () => Promise<void> {
  let [check, statusAt, dayAt]: [string | undefined, number, number] = [undefined, 0, 0];
  const drills = new Drills(reader, cluster, tell);
  return async () => {
    const latest = await reader.latestCheck(cluster);
    const hasEnded = latest !== check;
    const now = Date.now();
    if (hasEnded || news.isThere || now - statusAt > STATUS_MS) {
      news.isThere = false;
      const status = await reader.status(cluster);
      tell('status', statusOf(status));
      statusAt = Date.now();
      await drills.tellOf(status);
    }
    if (hasEnded || now - dayAt > DAY_MS) {
      tell('day', dayOf(await reader.day(cluster)));
      dayAt = Date.now();
    }
    check = latest;
  };
}

/** Reads the reports of drills where there is a new one: each is a question of its own. */
class Drills {
  private at: number | undefined;

  constructor(
    private readonly reader: DashboardReader,
    private readonly cluster: string,
    private readonly tell: Tell,
  ) {}

  async tellOf({ run, drill }: ClusterStatus): Promise<void> {
    // The list of a Temporal server lags by a moment behind its runs: of one that has just ended the run itself tells.
    const last = run?.result?.drill ?? drill;
    if (last === undefined || last.at === this.at) return;
    const listed = await this.reader.drills(this.cluster);
    this.tell('drills', drillsOf([last, ...listed.filter(({ at }) => at < last.at)]));
    this.at = last.at;
  }
}
