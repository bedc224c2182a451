import type { HealthHistory } from '../../engine/index.js';
import { dayInShort, MEANINGS } from '../../terminal/health-history.js';
import type { DayCell, DayView } from '../told.js';

/** The last day as the page draws it: what `kubewright health history` shows. Pure. */
export function dayOf(history: HealthHistory): DayView {
  const { from, to, slotMs, rows } = history;
  return {
    ...{ from, to, slotMs },
    caption: dayInShort(history),
    rows: rows.map(({ component, cells }) => ({ component, cells: cells.map((cell): DayCell => cell ?? 'none') })),
    legend: Object.entries(MEANINGS).map(([cell, meaning]) => ({ cell: cell as DayCell, meaning })),
  };
}
