import type { DrillReport } from '../../plan/drill-report.js';
import { drawDrill } from '../../render/drill-drawing.js';
import { drillInShort, drillTable, UNITS } from '../../terminal/drill.js';
import { plural, printable, utcMinute } from '../../terminal/text.js';
import type { DrillsView } from '../told.js';

/** Earlier drills that are told. */
const EARLIER = 10;

/** What fail-over drills have measured, the last one in full: what `kubewright drill history` shows. Pure. @param drills the latest first */
export function drillsOf(drills: readonly DrillReport[]): DrillsView {
  const [last, ...earlier] = drills;
  if (last === undefined) return { earlier: [] };
  const { scenarios, left = [], problems = [] } = last;
  const drawn = drawDrill(last);
  const isWell = left.length + problems.length === 0;
  const wrong = problems.length === 0 ? '' : `, ${plural(problems.length, 'problem')}`;
  return {
    last: {
      caption: `${plural(scenarios.length, 'scenario')} measured${wrong}, ended ${utcMinute(last.at)} UTC`,
      tone: isWell ? 'good' : 'bad',
      ...(scenarios.length === 0 ? {} : { table: { ...drillTable(scenarios), units: UNITS } }),
      left: left.map(({ scenario, why }) => `${scenario}: ${printable(why)}`),
      problems: problems.map(({ step, code, message, hint }) => ({
        code,
        text: `${step}: ${printable(message)}`,
        hint: printable(hint),
      })),
      ...(scenarios.length === 0 ? {} : { timeline: { ...drawn, marks: drawn.marks.filter(isShown) } }),
    },
    earlier: earlier.slice(0, EARLIER).map(drillInShort),
  };
}

/** The page has a ground and a headline of its own. */
function isShown({ attributes }: { attributes: Record<string, string | number> }): boolean {
  return attributes.class !== 'page' && attributes.class !== 'title';
}
