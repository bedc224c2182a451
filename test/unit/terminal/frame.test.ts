import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { renderFrame } from '../../../src/terminal/frame.js';
import { createTheme } from '../../../src/terminal/theme.js';
import type { InstallView } from '../../../src/terminal/types.js';
import { at, blocked, crowd, done, preparing } from './snapshots.js';

const plain = createTheme(false, true);

function frame(snapshot: InstallView, seconds: number, columns = 80, rows = 40, theme = plain): string[] {
  return renderFrame(snapshot, { theme, columns, rows, now: at(seconds) });
}

const text = (lines: string[]) => `${lines.join('\n')}\n`;

describe('a frame', () => {
  it('shows hosts at work with their last line, and why one waits', async () => {
    await expect(text(frame(preparing(), 12))).toMatchFileSnapshot('golden/preparing.golden');
  });

  it('shows a blocked step first, with output, hint and the command that goes on', async () => {
    await expect(text(frame(blocked(), 107))).toMatchFileSnapshot('golden/blocked.golden');
  });

  it('shows that a host asks for a person and is still tried, and a first try that failed, with what to do', () => {
    const view = preparing();
    const step = view.progress.steps.find(({ id }) => id === 'cp-2/packages');
    const other = view.progress.steps.find(({ id }) => id === 'cp-1/packages');
    if (step === undefined || other === undefined) throw new Error('the snapshot has these steps');
    step.state = 'blocked';
    const facts = { code: 'KW202', host: 'cp-2', message: 'cp-2: no way to it', hint: 'Is it on?', output: '' };
    const asked = { ...facts, step: step.id, blocking: 1, tries: 0, since: at(5), skippable: false };
    view.progress.blocked = [{ ...asked, retrying: true }];
    other.failed = { ...facts, code: 'KW431', host: 'cp-1', message: 'apt failed', hint: 'See.', tries: 1, at: at(11) };
    const lines = frame(view, 12, 120);
    for (const line of [
      '✗ cp-2/packages  waits for a person since 7 s, and is still tried (KW202)',
      '    cp-2: no way to it',
      '    now:  kubewright retry cp-2/packages --cluster demo',
      "    or:   kubewright abort --cluster demo --reason '…'",
      '! cp-1/packages  failed (KW431, try 1); it is tried again by itself',
      '    cp-1: apt failed',
    ])
      expect(lines).toContain(line);
    expect(lines.join('\n')).toContain(
      'waits for a person, still tried: try 3 in 4 s: cp-2: the connection was refused',
    );
  });

  it('shows a finished install with the time it took, however late one looks', async () => {
    await expect(text(frame(done(), 9_999))).toMatchFileSnapshot('golden/done.golden');
  });

  it('paints with colours where they are wanted and uses ASCII where the locale knows no more', async () => {
    await expect(text(frame(preparing(), 12, 80, 40, createTheme(true, true)))).toMatchFileSnapshot(
      'golden/preparing-colour.golden',
    );
    await expect(text(frame(blocked(), 107, 80, 40, createTheme(false, false)))).toMatchFileSnapshot(
      'golden/blocked-ascii.golden',
    );
  });

  it.each([20, 33, 80, 200])('never has a line wider than %i columns', (columns) => {
    for (const snapshot of [preparing(), blocked(), done(), crowd(9)]) {
      for (const line of frame(snapshot, 107, columns)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it.each([4, 8, 12, 23, 60])('never has more than %i lines, and keeps the blocked step in sight', (rows) => {
    const lines = frame(crowd(50), 107, 80, rows);
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(lines[0]).toContain('1 blocked');
    expect(lines[1]).toContain('cp-2/join');
  });

  it('leaves finished hosts out before waiting ones, and those before hosts at work', () => {
    const lines = frame(crowd(30), 20, 80, 34).join('\n');
    expect(lines).toContain('w-2 ');
    expect(lines).not.toContain('w-1 ');
  });

  it('does not let a host write on the terminal', () => {
    const hostile = preparing();
    hostile.activities['cp-1/packages'] = { attempt: 1, line: 'a\u001b[2Jb\u001b]0;owned\u0007c\rd\u009b31me\u202ef' };
    const lines = frame(hostile, 12, 200);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});
