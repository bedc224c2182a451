import { describe, expect, it } from 'vitest';
import { judgeClock } from '../../../../../src/activities/check/host/clock.js';
import { told } from './one-host.js';

const SENT = 1_800_000_000_000;

/** The host's clock is ahead by so many seconds; the way there, the other questions and the way back take these milliseconds. */
function judged(ahead: number, { there = 50, questions = 2_000, back = 50 } = {}) {
  const at = (ms: number) => ((SENT + ms) / 1_000 + ahead).toFixed(3);
  const facts = told({ clock: at(there), 'clock-after': at(there + questions) });
  return judgeClock({ facts, sentAt: SENT, answeredAt: SENT + there + questions + back });
}

describe('the clock', () => {
  it.each([0, 0.9, -0.9, 1])('that differs by %d s is right', (ahead) => {
    expect(judged(ahead)).toEqual([]);
  });

  it.each([
    [1.5, "its clock is 1.5 s ahead of the worker's"],
    [-1.5, "its clock is 1.5 s behind the worker's"],
  ])('that differs by %d s is told, however long the other questions take', (ahead, evidence) => {
    expect(judged(ahead)).toMatchObject([{ code: 'KW649', evidence }]);
    expect(judged(ahead, { questions: 20_000 })).toMatchObject([{ code: 'KW649', evidence }]);
  });

  it('is not blamed for a way that takes long in one direction', () => {
    expect(judged(0, { there: 3_000 })).toEqual([]);
    expect(judged(0, { back: 3_000 })).toEqual([]);
    // What is certain beyond that is told.
    expect(judged(6, { back: 3_000 })).toMatchObject([{ code: 'KW649' }]);
  });

  it('that cannot be read or compared is told as such', () => {
    const answered = { sentAt: SENT, answeredAt: SENT + 100 };
    expect(judgeClock({ facts: told({ clock: '1800000000.%N' }), ...answered })).toMatchObject([{ code: 'KW642' }]);
    expect(judged(0, { there: 10_950 })).toMatchObject([
      { code: 'KW642', evidence: expect.stringContaining('11.0 s') },
    ]);
  });
});
