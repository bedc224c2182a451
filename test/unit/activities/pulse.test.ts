import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Pulses } from '../../../src/activities/pulse.js';
import type { StepHeartbeat } from '../../../src/activities/types.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const at = (line: string): StepHeartbeat => ({ stage: 'apply', line });

function step(pulses: Pulses) {
  const told: string[] = [];
  return { told, ...pulses.begin(({ line }) => told.push(line), at('begun'), 10_000) };
}

it('a step that is over within a second says nothing', () => {
  const { told, changed, end } = step(new Pulses());
  changed(at('half way'));
  vi.advanceTimersByTime(900);
  end();
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
});

it('what changes is told once a second, the last of it, and without a change every four seconds', () => {
  const { told, changed, end } = step(new Pulses());
  for (const line of ['a', 'b', 'c']) {
    changed(at(line));
    vi.advanceTimersByTime(500);
  }
  expect(told).toEqual(['b']);
  vi.advanceTimersByTime(500);
  expect(told).toEqual(['b', 'c']);
  vi.advanceTimersByTime(8_000);
  expect(told).toEqual(['b', 'c', 'c', 'c']);
  changed(at('c'));
  vi.advanceTimersByTime(3_900);
  expect(told).toHaveLength(4);
  end();
});

it('a change behind a long silence is told at once', () => {
  const { told, changed, end } = step(new Pulses());
  vi.advanceTimersByTime(3_500);
  changed(at('news'));
  vi.advanceTimersByTime(1);
  expect(told).toEqual(['begun', 'news']);
  end();
});

it('four hundred steps that always change send a hundred a second, one every four seconds each', () => {
  const pulses = new Pulses();
  const steps = Array.from({ length: 400 }, () => step(pulses));
  for (let second = 0; second < 40; second++) {
    for (const { changed } of steps) changed(at(`line ${second}`));
    vi.advanceTimersByTime(1_000);
  }
  for (const { told, end } of steps) {
    expect(told.length).toBe(10);
    end();
  }
});
