import { blockedLike, blockedLines, failedLike, failedLines } from './blocked.js';
import type { ProgressEvent, StepEvent } from './json/events.js';
import { duration, offset, pad, plural } from './text.js';
import { paintLine, type Theme } from './theme.js';
import type { Line } from './types.js';

export interface PlainOptions {
  theme: Theme;
  cluster: string;
  /** Start of the run and the moment of the event, milliseconds since the epoch. */
  startedAt: number;
  now: number;
  /** For what blocks or fails: the step that was told before, in full, with the same cause. */
  like?: string;
  /** What the run is; default an install. */
  noun?: string;
}

/** Columns at which sentences are broken where there is no terminal to ask. */
const PLAIN_COLUMNS = 120;

/** One event as lines that are appended: for logs, CI and pipes. Every line begins with the time since the start. */
export function plainLines(event: ProgressEvent, options: PlainOptions): string[] {
  const lines = bodyOf(event, options);
  const time = offset(momentOf(event, options.now) - options.startedAt);
  // From the first hour on it is wider.
  const width = Math.max(8, time.length + 2);
  return lines.map((line, index) =>
    paintLine([{ text: pad(index === 0 ? time : '', width), style: 'faint' }, ...line], options.theme),
  );
}

/** When it happened, where that is known: one who comes late reads the times of then, not of his coming. */
function momentOf(event: ProgressEvent, now: number): number {
  if (event.type === 'blocked') return event.since;
  return 'at' in event ? (event.at ?? now) : now;
}

function bodyOf(event: ProgressEvent, options: PlainOptions): Line[] {
  switch (event.type) {
    case 'plan': {
      const hosts = new Set(event.steps.flatMap((step) => step.host ?? [])).size;
      return [[{ text: `${event.cluster}: ${plural(event.steps.length, 'step')} on ${plural(hosts, 'host')}` }]];
    }
    case 'step':
      return [stepLine(event)];
    case 'retry':
      return [
        [
          { text: `${event.step}  ` },
          { text: `try ${event.attempt} follows by itself: ${event.failure}`, style: 'warn' },
        ],
      ];
    case 'failed':
      if (options.like !== undefined) return [failedLike(event, options.like)];
      return failedLines([event], options.theme, { columns: PLAIN_COLUMNS, outputLines: 20 });
    case 'waiting': {
      const time = event.durationMs === undefined ? '' : ` for ${duration(event.durationMs)}`;
      const attempt = event.attempt > 1 ? `, try ${event.attempt}` : '';
      return [[{ text: `${event.step}  ` }, { text: `at it${time}${attempt}: ${event.reason}`, style: 'faint' }]];
    }
    case 'blocked':
      if (options.like !== undefined) return [blockedLike(event, options.like, options.theme)];
      return blockedLines([event], [event], options.theme, {
        cluster: options.cluster,
        now: options.now,
        columns: PLAIN_COLUMNS,
        outputLines: 20,
      });
    case 'decision': {
      const who = event.by === undefined ? '' : ` by ${event.by}`;
      const more = event.more === undefined ? '' : ` and ${event.more} more`;
      const reason = event.reason === undefined ? '' : `: ${event.reason}`;
      const ignored = event.ignored === undefined ? '' : ` (ignored: ${event.ignored})`;
      const what = `${event.verb} ${event.steps.join(', ')}${more}`;
      return [[{ text: `decided${who}: ${what}${reason}${ignored}`, style: 'strong' }]];
    }
    case 'state':
      return event.state === 'running'
        ? []
        : [[{ text: `${options.noun ?? 'install'} ${event.state}`, style: 'strong' }]];
  }
}

function stepLine(event: StepEvent): Line {
  const time = event.durationMs === undefined ? '' : ` in ${duration(event.durationMs)}`;
  const name: Line = [{ text: `${event.step}  ` }];
  switch (event.state) {
    case 'running':
      return [...name, { text: `started: ${event.title}`, style: 'faint' }];
    case 'done': {
      const outcome = event.outcome === 'unchanged' ? 'unchanged' : `done${time}`;
      const summary = event.summary === undefined ? '' : `: ${event.summary}`;
      return [...name, { text: outcome, style: 'good' }, { text: summary }];
    }
    case 'skipped':
      return [...name, { text: 'skipped', style: 'warn' }];
    default:
      return [...name, { text: event.state }];
  }
}
