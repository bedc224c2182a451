import { h } from '/vendor/preact.js';
import type { DecisionView, OperationView } from '../told.js';
import { Blocked, Decide } from './blocked.js';
import { Phase } from './phase.js';
import { Badge } from './signs.js';
import type { Acts, State } from './state.js';
import { elapsed, plural, utcMinute } from './words.js';

interface OperationProps {
  operation: OperationView;
  state: Pick<State, 'now' | 'toggled' | 'isDeciding'>;
  acts: Acts;
}

/** What changes the cluster, or has changed it last: blocked steps first, then all steps. */
export function Operation({ operation, state, acts }: OperationProps) {
  const { title, word, tone, isRunning, startedAt, closedAt, total, ended, notes, failure, noun } = operation;
  const { now, toggled, isDeciding } = state;
  return (
    <section aria-labelledby="operation-title">
      <h2 id="operation-title">
        {title} <Badge tone={tone}>{word}</Badge>
      </h2>
      <p class="faint">
        {ended} of {plural(total, 'step')},{' '}
        {closedAt === undefined
          ? `for ${elapsed(now - startedAt)}`
          : `${elapsed(closedAt - startedAt)}, ended ${utcMinute(closedAt)}`}
      </p>
      <progress max={Math.max(1, total)} value={ended} aria-label={`Steps of the ${noun} that have ended`} />
      {notes.map((note) => (
        <p class="note" key={note}>
          {note}
        </p>
      ))}
      {failure !== undefined && (
        <p class="note bad">
          {failure.message} ({failure.code}) {failure.hint}
        </p>
      )}
      <Blocked blocked={operation.blocked} acts={acts} now={now} isDeciding={isDeciding} />
      <h3>Steps</h3>
      {operation.phases.map((phase) => (
        <Phase
          key={phase.name}
          title={phase.title}
          steps={operation.steps.filter((step) => step.phase === phase.name)}
          now={now}
          wanted={toggled.get(phase.name)}
          toggle={(isOpen) => acts.toggle(phase.name, isOpen)}
        />
      ))}
      <Decisions decisions={operation.decisions} />
      {isRunning && (
        <p>
          <Decide label={`Abort the ${noun} …`} isDeciding={isDeciding} isQuiet act={() => acts.ask({ verb: 'abort' })}>
            Abort …
          </Decide>
        </p>
      )}
    </section>
  );
}

function Decisions({ decisions }: { decisions: DecisionView[] }) {
  if (decisions.length === 0) return null;
  return (
    <details>
      <summary>{plural(decisions.length, 'decision')}</summary>
      <ul>
        {decisions.map(({ verb, steps, by, reason, at, ignored }) => (
          <li key={`${at} ${verb} ${steps}`}>
            {verb} {steps} <span class="faint">{utcMinute(at)}</span>
            {by !== undefined && ` by ${by}`}
            {reason !== undefined && `: ${reason}`}
            {ignored !== undefined && ` (without effect: ${ignored})`}
          </li>
        ))}
      </ul>
    </details>
  );
}
