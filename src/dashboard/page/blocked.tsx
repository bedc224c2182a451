import { h } from '/vendor/preact.js';
import type { BlockedView } from '../told.js';
import type { Acts } from './state.js';
import { elapsed, plural } from './words.js';

interface BlockedProps {
  blocked: BlockedView[];
  acts: Acts;
  now: number;
  isDeciding: boolean;
}

/** Steps that wait for a person: what happened, and what can be decided. */
export function Blocked({ blocked, acts, now, isDeciding }: BlockedProps) {
  if (blocked.length === 0) return null;
  return (
    <section aria-labelledby="blocked-title" class="blocked">
      <h3 id="blocked-title">Waits for you: {plural(blocked.length, 'step')}</h3>
      {blocked.length > 1 && (
        <p>
          <Decide label="Retry all of them" isDeciding={isDeciding} act={() => acts.retry('*')}>
            Retry all
          </Decide>
        </p>
      )}
      <ul class="cards wide">
        {blocked.map((each) => (
          <BlockedCard key={each.step} blocked={each} acts={acts} now={now} isDeciding={isDeciding} />
        ))}
      </ul>
    </section>
  );
}

function BlockedCard({ blocked, acts, now, isDeciding }: Omit<BlockedProps, 'blocked'> & { blocked: BlockedView }) {
  const { step, blocking, code, message, hint, lines, tries, since, skippable, retrying } = blocked;
  return (
    <li class="card bad">
      <h4>{step}</h4>
      <p class="faint">
        blocked for {elapsed(now - since)} ({code},{' '}
        {retrying ? 'tried all the same' : plural(tries, 'try').replace('trys', 'tries')})
      </p>
      <p>{message}</p>
      {lines.length > 0 && <pre>{lines.join('\n')}</pre>}
      {hint !== '' && <p>{hint}</p>}
      <p class="buttons">
        <Decide label={`Retry ${step}`} isDeciding={isDeciding} act={() => acts.retry(step, blocking)}>
          Retry
        </Decide>
        {skippable && (
          <Decide
            label={`Skip ${step} …`}
            isDeciding={isDeciding}
            isQuiet
            act={() => acts.ask({ verb: 'skip', step, blocking })}
          >
            Skip …
          </Decide>
        )}
      </p>
    </li>
  );
}

interface DecideProps {
  /** Says of which step it is, for who hears the buttons one by one. */
  label: string;
  children: string;
  act: () => void;
  isDeciding: boolean;
  isQuiet?: boolean;
}

/** A button of a decision. While one is on its way it does nothing, and keeps the focus. */
export function Decide({ label, children, act, isDeciding, isQuiet = false }: DecideProps) {
  return (
    <button
      type="button"
      class={isQuiet ? 'quiet' : ''}
      aria-label={label}
      aria-disabled={isDeciding}
      onClick={() => {
        if (!isDeciding) act();
      }}
    >
      {children}
    </button>
  );
}
