import { h } from '/vendor/preact.js';
import type { StepView, Tone } from '../told.js';
import { Sign } from './signs.js';
import { elapsed, STEP_TONES } from './words.js';

interface PhaseProps {
  title: string;
  steps: StepView[];
  now: number;
  /** Whether a person wants it open; undefined where nobody has said. */
  wanted: boolean | undefined;
  toggle: (isOpen: boolean) => void;
}

/** The steps of a phase. Open while something happens in it, or somebody wants to see it; else nothing of it is drawn. */
export function Phase({ title, steps, now, wanted, toggle }: PhaseProps) {
  const tone = toneOf(steps);
  const isOpen = wanted ?? (tone === 'busy' || tone === 'bad');
  const ended = steps.filter(({ state }) => state === 'done' || state === 'skipped' || state === 'failed').length;
  return (
    <details open={isOpen} class="phase">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a summary is a button */}
      <summary
        onClick={(event) => {
          event.preventDefault();
          toggle(!isOpen);
        }}
      >
        <Sign tone={tone} /> {title}{' '}
        <span class="faint">
          {ended} of {steps.length}
        </span>
      </summary>
      {isOpen && (
        <ul class="steps">
          {steps.map((step) => (
            <Step key={step.id} step={step} now={now} />
          ))}
        </ul>
      )}
    </details>
  );
}

function toneOf(steps: StepView[]): Tone {
  const states = new Set(steps.map(({ state }) => state));
  if (states.has('blocked') || states.has('failed')) return 'bad';
  if (states.has('running')) return 'busy';
  if (states.has('waiting')) return 'faint';
  return 'good';
}

function Step({ step, now }: { step: StepView; now: number }) {
  const { id, title, state, summary, changed, lines, failure, startedAt, endedAt } = step;
  return (
    <li data-step={id} data-state={state}>
      <Sign tone={STEP_TONES[state]} /> {title} <span class="faint">{timing(step, now)}</span>
      {state !== 'blocked' && failure !== undefined && <p class="bad">{failure}</p>}
      {lines !== undefined && <pre>{lines.join('\n')}</pre>}
      {summary !== undefined && (
        <p class="faint">
          {summary}
          {changed === false && startedAt !== undefined && endedAt !== undefined && ' (nothing was changed)'}
        </p>
      )}
    </li>
  );
}

function timing(
  { state, startedAt, endedAt, attempt = 1, stage, nextAttemptAt, paused }: StepView,
  now: number,
): string {
  const parts: string[] = [state];
  if (startedAt !== undefined && state !== 'waiting') parts.push(elapsed((endedAt ?? now) - startedAt));
  if (state === 'running' && stage !== undefined) parts.push(stage);
  if (state === 'running' && attempt > 1) parts.push(`try ${attempt}`);
  if (state === 'running' && nextAttemptAt !== undefined && nextAttemptAt > now) {
    parts.push(`tried again in ${elapsed(nextAttemptAt - now)}`);
  }
  if (paused) parts.push('paused in Temporal');
  return parts.join(', ');
}
