import { Fragment, h } from '/vendor/preact.js';
import type { DrawingView, DrillsView, DrillView } from '../told.js';
import { Sign } from './signs.js';

/** What fail-over drills have measured: the last one as a table and as a picture, those before it in a line each. */
export function Drills({ last, earlier }: { last: DrillView } & Pick<DrillsView, 'earlier'>) {
  const { caption, tone, table, left, problems, timeline } = last;
  return (
    <section aria-labelledby="drills-title">
      <h2 id="drills-title">Fail-over drills</h2>
      <p>
        <Sign tone={tone} /> {caption}
      </p>
      {problems.length + left.length > 0 && (
        <ul class="findings">
          {problems.map(({ code, text, hint }, index) => (
            <li key={index}>
              <strong class="bad">{code}</strong> {text}
              {hint !== '' && <p class="faint">{hint}</p>}
            </li>
          ))}
          {left.map((sentence) => (
            <li key={sentence}>
              <Sign tone="warn" /> {sentence}
            </li>
          ))}
        </ul>
      )}
      {table !== undefined && <Measured table={table} />}
      {timeline !== undefined && <Timeline drawing={timeline} />}
      {earlier.length > 0 && (
        <>
          <h3>Earlier ones</h3>
          <ul>
            {earlier.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** It may be wider than a phone, and is moved then, by keyboard, too. */
function Measured({ table: { head, rows, units } }: { table: NonNullable<DrillView['table']> }) {
  const [, ...titles] = head;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section class="wide" aria-label="What was measured" tabIndex={0}>
      <table class="measured">
        <caption>The last one</caption>
        <thead>
          <tr>
            <th scope="col">scenario</th>
            {titles.map((title) => (
              <th scope="col" key={title}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([scenario = '', ...cells]) => (
            <tr key={scenario}>
              <th scope="row">{scenario}</th>
              {cells.map((cell, index) => (
                <td key={index}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="faint">{units}</p>
    </section>
  );
}

function Timeline({ drawing: { width, height, title, words, marks } }: { drawing: DrawingView }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section class="wide" aria-label="Time line" tabIndex={0}>
      <svg
        class="timeline"
        viewBox={`0 40 ${width} ${height - 40}`}
        role="img"
        aria-labelledby="drill-title drill-words"
      >
        <title id="drill-title">{title}</title>
        <desc id="drill-words">{words}</desc>
        {marks.map(({ tag, attributes, text }, index) => h(tag, { key: index, ...attributes }, text))}
      </svg>
    </section>
  );
}
