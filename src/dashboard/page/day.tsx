import { h } from '/vendor/preact.js';
import type { DayCell, DayView } from '../told.js';
import { utcMinute } from './words.js';

const CELL = 10;
const HEIGHT = 14;

/** The last day: a row for each part of the cluster, a cell for each half hour. A sentence says of each row what the cells show. */
export function Day({ day }: { day: DayView }) {
  const { rows, caption, legend } = day;
  return (
    <section aria-labelledby="day-title">
      <h2 id="day-title">The last day</h2>
      <p class="faint">{caption}</p>
      <dl class="day">
        {rows.map(({ component, cells }) => (
          <div key={component}>
            <dt>{component}</dt>
            <dd>
              <Cells cells={cells} label={inWords(cells, day)} />
            </dd>
          </div>
        ))}
      </dl>
      <ul class="legend">
        {legend.map(({ cell, meaning }) => (
          <li key={cell}>
            <svg viewBox={`0 0 ${CELL} ${HEIGHT}`} width={CELL} height={HEIGHT} aria-hidden="true">
              <Cell cell={cell} at={0} />
            </svg>{' '}
            {meaning}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Cells({ cells, label }: { cells: DayCell[]; label: string }) {
  return (
    <svg
      viewBox={`0 0 ${cells.length * CELL} ${HEIGHT}`}
      preserveAspectRatio="none"
      class="cells"
      role="img"
      aria-label={label}
    >
      {cells.map((cell, index) => (
        <Cell key={index} cell={cell} at={index * CELL} />
      ))}
    </svg>
  );
}

/** The height says it, too: colours are not for everybody. */
const HEIGHTS: Readonly<Record<DayCell, number>> = { ok: 5, degraded: 10, down: 14, unknown: 7, skipped: 3, none: 1 };

function Cell({ cell, at }: { cell: DayCell; at: number }) {
  const height = HEIGHTS[cell];
  return <rect class={`cell-${cell}`} x={at + 0.5} y={HEIGHT - height} width={CELL - 1} height={height} />;
}

/** "ok 46 times; down from 2026-03-01 10:00 UTC". */
function inWords(cells: DayCell[], { from, slotMs, legend }: DayView): string {
  const meaning = (cell: DayCell): string => legend.find((each) => each.cell === cell)?.meaning ?? cell;
  const parts = [...new Set(cells)].map((cell) => {
    const count = cells.filter((each) => each === cell).length;
    const last = cells.lastIndexOf(cell);
    const when = cell === 'ok' || cell === 'none' ? '' : `, last at ${utcMinute(from + last * slotMs)}`;
    return `${meaning(cell)}: ${count} of ${cells.length}${when}`;
  });
  return parts.join('; ');
}
