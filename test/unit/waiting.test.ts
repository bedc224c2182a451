import { describe, expect, it } from 'vitest';
import { type Glance, lookUntil, notYet, seen } from '../../src/waiting.js';

/** Comes to the answers in turn, and stays with the last one. */
function answers<T>(...glances: Glance<T>[]): { look: () => Promise<Glance<T>>; looks: () => number } {
  let count = 0;
  return {
    look: async () => glances[Math.min(count++, glances.length - 1)] as Glance<T>,
    looks: () => count,
  };
}

describe('a wait', () => {
  it('ends with what is there, and has said what it waited for', async () => {
    const said: string[] = [];
    const { look, looks } = answers<string>(notYet('waiting for a'), notYet(), notYet('waiting for b'), seen('there'));
    const found = await lookUntil(look, { patienceMs: 60_000, everyMs: 1, progress: (line) => said.push(line) });
    expect(found).toBe('there');
    expect(looks()).toBe(4);
    expect(said).toEqual(['waiting for a', 'waiting for b']);
  });

  it('is given up when patience is used up, not before it has looked', async () => {
    const { look, looks } = answers<string>(notYet('for ever'));
    expect(await lookUntil(look, { patienceMs: -1, everyMs: 60_000 })).toBeUndefined();
    expect(looks()).toBe(1);
    const late = answers(seen('at once'));
    expect(await lookUntil(late.look, { patienceMs: -1, everyMs: 60_000 })).toBe('at once');
  });

  it('ends at once when it is told to', async () => {
    const controller = new AbortController();
    const { look, looks } = answers<string>(notYet('waiting'));
    const waiting = lookUntil(look, {
      patienceMs: 600_000,
      everyMs: 600_000,
      signal: controller.signal,
      progress: () => controller.abort(),
    });
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(looks()).toBe(1);
  });

  it('hands on what a look throws', async () => {
    const broken = lookUntil(async () => Promise.reject(new Error('no way')), { patienceMs: 60_000, everyMs: 1 });
    await expect(broken).rejects.toThrow('no way');
  });
});
