import { describe, expect, it } from 'vitest';
import { silentSince } from '../../../src/engine/schedule-keys.js';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const schedule = { everyMs: 5 * MINUTE, paused: false, changedAt: 0 };

describe('a schedule', () => {
  it('is silent when three of its checks have not come, and what they may take is over', () => {
    expect(silentSince(schedule, NOW - 17 * MINUTE, NOW)).toBeUndefined();
    expect(silentSince(schedule, NOW - 18 * MINUTE, NOW)).toBe(NOW - 18 * MINUTE);
  });

  it('that was made or resumed a moment ago had no time to say anything', () => {
    expect(silentSince({ ...schedule, changedAt: NOW - MINUTE }, undefined, NOW)).toBeUndefined();
    expect(silentSince({ ...schedule, changedAt: NOW - 20 * MINUTE }, undefined, NOW)).toBe(NOW - 20 * MINUTE);
  });

  it('that is paused is silent because somebody wants it to be', () => {
    expect(silentSince({ ...schedule, paused: true }, NOW - 900 * MINUTE, NOW)).toBeUndefined();
  });

  it('of a few seconds is given the time that a check of a broken cluster takes', () => {
    expect(silentSince({ ...schedule, everyMs: 10_000 }, NOW - 2 * MINUTE, NOW)).toBeUndefined();
    expect(silentSince({ ...schedule, everyMs: 10_000 }, NOW - 3 * MINUTE, NOW)).toBeDefined();
  });
});
