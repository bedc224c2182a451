import { describe, expect, it } from 'vitest';
import { changesBetween } from '../../../src/terminal/events.js';
import { plainLines } from '../../../src/terminal/plain.js';
import { createTheme } from '../../../src/terminal/theme.js';
import type { InstallView } from '../../../src/terminal/types.js';
import { at, BLOCKED, blocked, done, preparing, START } from './snapshots.js';

const theme = createTheme(false, true);

function log(moments: [InstallView, number][]): string {
  let before: InstallView | undefined;
  const lines: string[] = [];
  for (const [snapshot, seconds] of moments) {
    for (const event of changesBetween(before, snapshot)) {
      lines.push(...plainLines(event, { theme, cluster: 'demo', startedAt: START, now: at(seconds) }));
    }
    before = snapshot;
  }
  return `${lines.join('\n')}\n`;
}

describe('what happened between two moments', () => {
  it('reads as a log, one line a change', async () => {
    const moments: [InstallView, number][] = [
      [preparing(), 12],
      [blocked(), 107],
      [done(), 131],
    ];
    await expect(log(moments)).toMatchFileSnapshot('golden/plain.golden');
  });

  it('is nothing when nothing changed', () => {
    expect(changesBetween(preparing(), preparing())).toEqual([]);
    expect(changesBetween(blocked(), blocked())).toEqual([]);
  });

  it('tells the plan and all that has happened to one who comes late', () => {
    const events = changesBetween(undefined, done());
    expect(events[0]).toMatchObject({ type: 'plan', cluster: 'demo' });
    expect(events.filter((event) => event.type === 'step')).toHaveLength(8);
    expect(events.filter((event) => event.type === 'decision')).toHaveLength(1);
    expect(events.at(-1)).toEqual({ type: 'state', state: 'done' });
  });

  it('tells a step that blocks again anew, and the same cause of a retry once', () => {
    const again = blocked();
    again.progress.blocked = [{ ...BLOCKED, blocking: 2 }];
    expect(changesBetween(blocked(), again)).toEqual([{ type: 'blocked', ...BLOCKED, blocking: 2 }]);

    const later = preparing();
    const activity = later.activities['cp-2/packages'];
    later.activities['cp-2/packages'] = { ...activity, attempt: 9, nextAttemptAt: at(30) };
    expect(changesBetween(preparing(), later)).toEqual([]);
    later.activities['cp-2/packages'] = { attempt: 9, failure: 'cp-2: no route to host', nextAttemptAt: at(30) };
    expect(changesBetween(preparing(), later)).toEqual([
      { type: 'retry', step: 'cp-2/packages', host: 'cp-2', attempt: 9, failure: 'cp-2: no route to host' },
    ]);
  });
});
