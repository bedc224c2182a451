import { describe, expect, it } from 'vitest';
import type { HealthVerdict } from '../../../src/plan/findings.js';
import { channelsOf, eventFor, type Judged, toldOf } from '../../../src/plan/told.js';

const HOUR = 3_600_000;

/** A report: each finding as "KW601 cp-1". */
function report(verdict: HealthVerdict, found: string[] = [], at = 0, more = 0): Judged {
  const findings = found.map((each) => {
    const [code = '', host] = each.split(' ');
    return { code, host: host ?? null, evidence: `seen at ${at}`, hint: '' };
  });
  return { at, verdict, findings, more };
}

/** What a channel that was told of one report is told of the next. */
const then = (first: Judged, next: Judged) => eventFor(next, toldOf(first));

describe('a channel that was told nothing yet', () => {
  it('is told what is wrong, and not that all is well', () => {
    expect(eventFor(report('degraded', ['KW601 cp-1']), undefined)).toBe('changed');
    expect(eventFor(report('unknown', ['KW201 cp-1']), undefined)).toBe('changed');
    expect(eventFor(report('ok'), undefined)).toBeUndefined();
  });
});

describe('a channel', () => {
  it('is told of another verdict, and of a recovery', () => {
    const bad = report('degraded', ['KW601 cp-1']);
    expect(then(report('ok'), bad)).toBe('changed');
    expect(then(bad, report('down', ['KW601 cp-1', 'KW680']))).toBe('changed');
    expect(then(report('down', ['KW680', 'KW601 cp-1']), bad)).toBe('changed');
    expect(then(bad, report('ok'))).toBe('recovered');
    expect(then(report('ok'), report('ok'))).toBeUndefined();
  });

  it('is told of what is new, by code and host, whatever was seen of it', () => {
    const bad = report('degraded', ['KW601 cp-1']);
    expect(then(bad, report('degraded', ['KW601 cp-1'], HOUR))).toBeUndefined();
    expect(then(bad, report('degraded', ['KW601 cp-1', 'KW646 w-1'], HOUR))).toBe('changed');
    expect(then(bad, report('degraded', ['KW601 cp-2'], HOUR))).toBe('changed');
  });

  it('is not told that one of several is gone, nor that it is back: what comes and goes is no news with every check', () => {
    const both = report('degraded', ['KW601 cp-1', 'KW646 w-1']);
    expect(then(both, report('degraded', ['KW601 cp-1'], HOUR))).toBeUndefined();
    expect(then(both, report('degraded', ['KW646 w-1', 'KW601 cp-1'], HOUR))).toBeUndefined();
  });

  it('is reminded after a day of what is wrong, and of nothing that is well', () => {
    const bad = report('degraded', ['KW601 cp-1']);
    expect(then(bad, report('degraded', ['KW601 cp-1'], 24 * HOUR - 1))).toBeUndefined();
    expect(then(bad, report('degraded', ['KW601 cp-1'], 24 * HOUR))).toBe('reminder');
    expect(then(report('ok'), report('ok', [], 48 * HOUR))).toBeUndefined();
  });

  it('is not told that a host is out of sight now in this way, now in that', () => {
    const away = report('degraded', ['KW201 w-1', 'KW683']);
    expect(then(away, report('degraded', ['KW203 w-1', 'KW683'], HOUR))).toBeUndefined();
    expect(then(away, report('degraded', ['KW203 w-2', 'KW683'], HOUR))).toBe('changed');
  });

  it('is not told that somebody could not be told', () => {
    const bad = report('degraded', ['KW601 cp-1']);
    expect(then(bad, report('degraded', ['KW601 cp-1', 'KW686'], HOUR))).toBeUndefined();
  });

  it('is told by codes alone where there is more than is named: which hosts are is chance', () => {
    const hosts = (from: number) => Array.from({ length: 60 }, (_, index) => `KW481 w-${from + index}`);
    const large = report('degraded', hosts(1));
    expect(then(large, report('degraded', hosts(20), HOUR))).toBeUndefined();
    expect(then(large, report('degraded', [...hosts(20), 'KW601 cp-1'], HOUR))).toBe('changed');
    const cut = report('degraded', ['KW481 w-1'], 0, 300);
    expect(then(cut, report('degraded', ['KW481 w-2'], HOUR, 299))).toBeUndefined();
    // What is kept of it stays small.
    expect(JSON.stringify(toldOf(large)).length).toBeLessThan(100);
  });
});

it('the channels of a file are those that it names', () => {
  expect(channelsOf(undefined)).toEqual([]);
  expect(channelsOf({ notify: { webhook: null, mail: null, command: ['/bin/true'] } })).toEqual(['command']);
});
