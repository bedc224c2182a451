import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { renderFrame } from '../../../src/terminal/frame.js';
import { Output, type OutputOptions } from '../../../src/terminal/output.js';
import { createReporter } from '../../../src/terminal/reporter.js';
import { createTheme } from '../../../src/terminal/theme.js';
import { EmulatedScreen } from './screen.js';
import { at, blocked, done, preparing } from './snapshots.js';

class Stream extends Writable {
  text = '';

  constructor(readonly isTTY: boolean) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

function output(changes: Partial<OutputOptions> & { tty?: boolean } = {}) {
  const stdout = new Stream(changes.tty ?? true);
  const stderr = new Stream(changes.tty ?? true);
  const env = { TERM: 'xterm', LANG: 'C.UTF-8' };
  const made = new Output({ stdout, stderr, env, json: false, color: true, ...changes });
  return { made, stdout, stderr };
}

describe('the output', () => {
  it.each([
    ['a terminal', {}, true],
    ['a pipe', { tty: false }, false],
    ['--json', { json: true }, false],
    ['a dumb terminal', { env: { TERM: 'dumb' } }, false],
    ['a terminal of a CI runner', { env: { TERM: 'xterm', CI: 'true' } }, false],
  ])('on %s is live: %#', (_, changes, live) => {
    expect(output(changes).made.interactive).toBe(live);
  });

  it.each([
    ['a terminal', {}, true],
    ['a pipe', { tty: false }, false],
    ['a pipe with FORCE_COLOR', { tty: false, env: { FORCE_COLOR: '1' } }, true],
    ['--no-color', { color: false }, false],
    ['a pipe with --color=always', { tty: false, color: 'always' as const, env: { NO_COLOR: '1' } }, true],
    ['NO_COLOR', { env: { NO_COLOR: '1', TERM: 'xterm' } }, false],
    ['an empty NO_COLOR', { env: { NO_COLOR: '', TERM: 'xterm' } }, true],
    ['a dumb terminal', { env: { TERM: 'dumb' } }, false],
  ])('on %s has colours: %#', (_, changes, coloured) => {
    expect(output(changes).made.theme.paint('x', 'good') !== 'x').toBe(coloured);
  });

  it('uses ASCII where the locale knows no more', () => {
    expect(output({ env: { LANG: 'C' } }).made.theme.symbols.done).toBe('+');
    expect(output({ env: { LC_ALL: 'C', LANG: 'de_DE.UTF-8' } }).made.theme.symbols.done).toBe('+');
    expect(output({ env: { LANG: 'de_DE.utf8' } }).made.theme.symbols.done).toBe('✓');
  });

  it('prints no object that docs/json.md does not have: the compiler refuses it', () => {
    const { made, stdout } = output({ json: true });
    made.object({ type: 'unchecked', what: 'spec.kubernetes.version: no answer' });
    // @ts-expect-error there is no such object
    made.object({ type: 'unheard-of' });
    // @ts-expect-error a field is missing
    made.object({ type: 'unchecked' });
    expect(stdout.text.trimEnd().split('\n')).toHaveLength(3);
  });

  it('tells errors to people on stderr, to programs on stdout', () => {
    const person = output();
    person.made.error(new Error('no'));
    expect([person.stdout.text, person.stderr.text.includes('no')]).toEqual(['', true]);
    const program = output({ json: true });
    program.made.error(new Error('no'));
    expect(program.stderr.text).toBe('');
    expect(JSON.parse(program.stdout.text)).toMatchObject({ type: 'error', message: 'no' });
  });
});

describe('a reporter', () => {
  it('appends lines where nobody watches, each state once', () => {
    const { made, stdout } = output({ tty: false });
    const reporter = createReporter(made, () => at(107));
    for (const snapshot of [blocked(), blocked(), done()]) reporter.update(snapshot);
    reporter.close();
    expect(stdout.text).not.toContain('\u001b');
    expect(stdout.text.match(/blocked for/g)).toHaveLength(1);
    expect(stdout.text).toContain('cp-2/join  done in 1 m 02 s');
  });

  it('takes what is said on the way above its frame, where both go to one terminal, and gives it back', async () => {
    const screen = new EmulatedScreen(80, 24);
    const terminal = new Writable({
      write(chunk, _encoding, next) {
        screen.write(String(chunk));
        next();
      },
    });
    const stream = Object.assign(terminal, { isTTY: true, columns: 80, rows: 24 });
    const { made } = output({ stdout: stream, stderr: stream });
    const reporter = createReporter(made, () => at(107));
    const frame = renderFrame(preparing(), { theme: createTheme(false, true), columns: 80, rows: 23, now: at(107) });
    reporter.update(preparing());
    made.note("Temporal's UI did not start:\nits port is taken");
    reporter.update(preparing());
    const said = ["Temporal's UI did not start:", 'its port is taken'];
    expect(await screen.lines()).toEqual([...said, ...frame.map((line) => line.trimEnd())]);
    reporter.close();
    made.note('Stopping in order.');
    expect((await screen.lines()).slice(-2)).toEqual([frame.at(-1)?.trimEnd(), 'Stopping in order.']);
  });

  it('leaves a stderr that is a file its lines while frames are drawn', () => {
    const file = new Stream(false);
    const { made } = output({ stderr: file });
    const reporter = createReporter(made, () => at(107));
    reporter.update(preparing());
    made.note('for the log');
    reporter.close();
    expect(file.text).toBe('for the log\n');
  });

  it('gives the cursor back when the process ends in the middle of a frame', () => {
    const { made, stdout } = output();
    const before = process.listeners('exit');
    const reporter = createReporter(made, () => at(107));
    reporter.update(preparing());
    const [atExit] = process.listeners('exit').filter((listener) => !before.includes(listener));
    atExit?.call(process, 0);
    expect(stdout.text.endsWith('\u001b[?25h')).toBe(true);
    reporter.close();
    expect(process.listeners('exit')).toEqual(before);
  });

  it('writes one object a line for programs, each with the time and the cluster', () => {
    const { made, stdout } = output({ json: true });
    const reporter = createReporter(made, () => at(107));
    for (const snapshot of [blocked(), done()]) reporter.update(snapshot);
    reporter.say('Temporal answers again.');
    reporter.close();
    const objects = stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const object of objects) expect(object).toMatchObject({ cluster: 'demo', time: expect.any(String) });
    expect(objects.map(({ type }) => type)).toContain('blocked');
  });
});
