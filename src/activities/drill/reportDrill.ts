import { type DrillTimes, PROBE_KINDS, type ScenarioReport } from '../../plan/drill-report.js';
import type { StepContext, StepImplementation } from '../types.js';
import { backendTimes } from './backend-log.js';
import type { Book, Mark } from './book.js';
import { chosenFor, handedOn } from './chosen.js';
import { gapOf } from './gaps.js';
import { requireBook, type Scene, sceneOf } from './scene.js';

/** Reads what was seen, and makes of it what is reported: some hundred lines become some hundred bytes. */
export const reportDrill: StepImplementation = {
  async probe(context) {
    const chosen = chosenFor(context);
    if (chosen === undefined || handedOn(context, 'break') === undefined) {
      return { done: true, found: 'nothing was broken, so nothing was measured', changes: [] };
    }
    const scene = sceneOf(context, chosen);
    const book = requireBook(await scene.read('all'), chosen.prober);
    const measured = await reportOf(context, scene, book);
    const gaps = measured.gaps.map(({ kind, gapMs }) => `${kind} ${gapMs} ms`).join(', ');
    return { done: true, found: `longest time without an answer: ${gaps}`, changes: [], measured };
  },

  async apply() {
    throw new Error('a report changes nothing');
  },
};

async function reportOf(context: StepContext, { chosen, victim }: Scene, book: Book): Promise<ScenarioReport> {
  const at = book.marks.get('break')?.at ?? book.now;
  const { prober, scenario } = chosen;
  // Balancers tell of API servers; the other scenarios stop none.
  const stopsServer = scenario === 'api-server' || scenario === 'power';
  const question = { victim, prober, since: at, away: scenario === 'power' };
  const { left, returned } = stopsServer ? await backendTimes(context, question) : {};
  const after = (time: number | undefined): number | undefined =>
    time === undefined ? undefined : Math.max(0, time - at);
  const times = {
    left: after(left),
    returned: after(returned),
    notReady: after(timeOf(book, 'not-ready')),
    moved: after(timeOf(book, 'moved')),
    restored: after(timeOf(book, 'restored')),
    healthy: after(timeOf(book, 'healthy')),
  };
  const pods = book.marks.get('moved')?.count;
  return {
    scenario,
    victim: victim.name,
    prober,
    at,
    gaps: PROBE_KINDS.map((kind) => gapOf(kind, book.samples.get(kind) ?? [], at)),
    times: Object.fromEntries(Object.entries(times).filter(([, time]) => time !== undefined)) as DrillTimes,
    ...(pods === undefined ? {} : { pods }),
  };
}

const timeOf = (book: Book, what: Mark): number | undefined => book.marks.get(what)?.at;
