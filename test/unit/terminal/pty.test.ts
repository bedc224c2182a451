import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderFrame } from '../../../src/terminal/frame.js';
import { createTheme } from '../../../src/terminal/theme.js';
import { notRunHere } from '../not-run.js';
import { EmulatedScreen } from './screen.js';
import { at, done } from './snapshots.js';

const program = fileURLToPath(new URL('./watch-recorded.ts', import.meta.url));
const loader = fileURLToPath(new URL('../../workflow/typescript-loader.mjs', import.meta.url));
/** util-linux's script(1) runs a command on a pseudo-terminal; it is essential on Debian and Ubuntu. */
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

function onTerminal(columns: number, rows: number): string {
  const command = `stty cols ${columns} rows ${rows}; exec ${process.execPath} --import ${loader} ${program}`;
  const options = {
    encoding: 'utf8' as const,
    env: { PATH: process.env.PATH, TERM: 'xterm', LANG: 'C.UTF-8' },
  };
  return execFileSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], options);
}

describe('a watch on a pseudo-terminal', () => {
  it('of 80 columns leaves the last frame between what stood before and what comes after', async (context) => {
    if (!hasScript) notRunHere(context, 'there is no script(1) of util-linux');
    const bytes = onTerminal(80, 24);
    const screen = new EmulatedScreen(80, 24);
    screen.write(bytes);
    const frame = renderFrame(done(), { theme: createTheme(false, true), columns: 80, rows: 23, now: at(107) });
    expect(await screen.lines()).toEqual(['$ kubewright watch demo', ...frame.map((line) => line.trimEnd()), 'after']);
    expect(bytes).toContain('\u001b[32m');
    expect(bytes.lastIndexOf('\u001b[?25h')).toBeGreaterThan(bytes.lastIndexOf('\u001b[?25l'));
    // A process that has to compile itself first: seconds on a free machine, more on a busy one.
  }, 120_000);
});
