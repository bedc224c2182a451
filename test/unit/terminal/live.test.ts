import { describe, expect, it } from 'vitest';
import { renderFrame } from '../../../src/terminal/frame.js';
import { LiveView } from '../../../src/terminal/live.js';
import { createTheme } from '../../../src/terminal/theme.js';
import type { InstallView } from '../../../src/terminal/types.js';
import { EmulatedScreen } from './screen.js';
import { at, blocked, crowd, done, preparing } from './snapshots.js';

const theme = createTheme(true, true);

function draw(view: LiveView, snapshot: InstallView, seconds: number): string[] {
  const lines = renderFrame(snapshot, { theme, now: at(seconds), ...view.size() });
  view.draw(lines);
  return lines;
}

const plainFrame = (snapshot: InstallView, seconds: number, view: LiveView) =>
  renderFrame(snapshot, { theme: createTheme(false, true), now: at(seconds), ...view.size() }).map((line) =>
    line.trimEnd(),
  );

describe('the live view', () => {
  it('draws each frame over the one before and keeps what stood above', async () => {
    const screen = new EmulatedScreen(80, 24);
    screen.write('$ kubewright watch\n');
    const view = new LiveView(screen);
    draw(view, blocked(), 107);
    draw(view, preparing(), 12);
    draw(view, done(), 140);
    view.close();
    expect(await screen.lines()).toEqual(['$ kubewright watch', ...plainFrame(done(), 140, view)]);
  });

  it('scrolls once when it begins at the bottom of the screen, and leaves no piece of an old frame', async () => {
    const screen = new EmulatedScreen(80, 24);
    for (let line = 1; line <= 40; line++) screen.write(`before ${line}\n`);
    const view = new LiveView(screen);
    for (let second = 100; second < 110; second++) draw(view, crowd(50), second);
    const lines = await screen.lines();
    expect(lines.slice(0, 40)).toEqual(Array.from({ length: 40 }, (_, index) => `before ${index + 1}`));
    expect(lines.slice(40)).toEqual(plainFrame(crowd(50), 109, view));
  });

  it.each([
    [80, 40],
    [120, 61],
    [80, 100],
  ])('survives a change of width from %i to %i columns', async (from, to) => {
    const screen = new EmulatedScreen(from, 30);
    screen.write('above\n');
    const view = new LiveView(screen);
    draw(view, preparing(), 12);
    await screen.lines();
    screen.resize(to, 30);
    draw(view, preparing(), 13);
    expect(await screen.lines()).toEqual(['above', ...plainFrame(preparing(), 13, view)]);
  });

  it('prints lines that stay above the frame', async () => {
    const screen = new EmulatedScreen(80, 24);
    const view = new LiveView(screen);
    draw(view, preparing(), 12);
    view.print(['Stopping. Press Ctrl-C again to force it.']);
    draw(view, preparing(), 13);
    expect((await screen.lines()).slice(0, 2)).toEqual([
      'Stopping. Press Ctrl-C again to force it.',
      plainFrame(preparing(), 13, view)[0],
    ]);
  });

  it('writes each frame in one piece, hides the cursor while it draws and gives it back', () => {
    const writes: string[] = [];
    const view = new LiveView({ columns: 80, rows: 24, write: (text) => writes.push(text) });
    draw(view, preparing(), 12);
    draw(view, preparing(), 13);
    expect(writes).toHaveLength(2);
    expect(writes[1]).not.toContain('\u001b[2J');
    expect(writes[1]).toContain('\u001b[?25l');
    view.close();
    expect(writes.at(-1)).toBe('\u001b[?25h');
  });
});
