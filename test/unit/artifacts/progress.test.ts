import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProgressBar, words } from '../../../src/artifacts/progress/bar.js';
import { Meter } from '../../../src/artifacts/progress/meter.js';

describe('a meter', () => {
  let clock = 0;
  beforeEach(() => {
    clock = 0;
  });
  const meter = () => new Meter(() => clock);

  it('adds up files, their rate over the last ten seconds, and the time that is left', () => {
    const all = meter();
    const [one, two] = [all.item(), all.item()];
    one.size(60e6);
    two.size(40e6);
    for (clock = 0; clock < 20_000; clock += 1_000) one.arrived(1e6);
    for (; clock <= 30_000; clock += 1_000) two.arrived(2e6);
    clock = 30_000;
    const { done, total, rate, remaining } = all.read();
    expect({ done, total }).toEqual({ done: 42e6, total: 100e6 });
    expect(rate).toBeCloseTo(2.2e6, -5);
    expect(remaining).toBeCloseTo(58e6 / 2.2e3, -2);
  });

  it('counts what was kept from an earlier attempt, and not as speed', () => {
    const all = meter();
    const item = all.item();
    item.size(100);
    item.stands(80);
    expect(all.read()).toEqual({ done: 80, total: 100, rate: 0, remaining: undefined });
    item.stands(0);
    expect(all.read().done).toBe(0);
  });

  it('does not end before a file whose size nobody told', () => {
    const all = meter();
    all.item().arrived(500);
    expect(all.read()).toMatchObject({ done: 500, total: 500 });
  });
});

it('says what a person asks: how far, how much, how fast, how long', () => {
  expect(words({ done: 120e6, total: 350e6, rate: 11.2e6, remaining: 20_500 })).toBe(
    '34 %, 120 of 350 MB, 11.2 MB/s, 21 s left',
  );
  expect(words({ done: 1.5e6, total: 9e6, rate: 0, remaining: undefined })).toBe(
    '16 %, 1.5 of 9.0 MB, nothing arrives',
  );
});

describe('a bar', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function show(isTTY: boolean, env: NodeJS.ProcessEnv, seconds: number): Promise<string> {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 60 });
    const bar = new ProgressBar(stream, env);
    let finish = (): void => {};
    const watching = bar.watch('downloading images', async (meter) => {
      const item = meter.item();
      item.size(100e6);
      item.arrived(50e6);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    await vi.advanceTimersByTimeAsync(seconds * 1_000);
    bar.line('a line');
    finish();
    await watching;
    return stream.read()?.toString() ?? '';
  }

  it('is painted over and over in one line of a terminal, never wider than that, and gone at the end', async () => {
    const text = await show(true, { TERM: 'xterm', LANG: 'C.UTF-8' }, 1);
    const frames = text.split('\r\x1b[2K').filter((frame) => frame.startsWith('█'));
    expect(frames).toHaveLength(5);
    for (const frame of frames) expect(frame).toMatch(/^█{12}░{12} 50 %, 50 of 100 MB, \d/);
    for (const frame of frames) expect(frame.length).toBeLessThan(60);
    expect(text.endsWith('\r\x1b[2Ka line\n')).toBe(true);
  });

  it('is ASCII where the locale is not UTF-8', async () => {
    expect(await show(true, { TERM: 'xterm', LANG: 'C' }, 1)).toContain('############............ 50 %');
  });

  it.each([
    ['a pipe', false, {}],
    ['a terminal that cannot move its cursor', true, { TERM: 'dumb' }],
    ['CI', true, { CI: 'true' }],
  ])('is a line every fifteen seconds for %s', async (_, isTTY, env) => {
    const lines = (await show(isTTY, env, 31)).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines.slice(0, 2))
      expect(line).toMatch(/^downloading images: 50 %, 50 of 100 MB, nothing arrives$/);
  });
});
