import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { renderFrame } from '../../../src/terminal/frame.js';
import { Output } from '../../../src/terminal/output.js';
import { createReporter } from '../../../src/terminal/reporter.js';
import { createTheme } from '../../../src/terminal/theme.js';
import type { InstallView } from '../../../src/terminal/types.js';
import type { BlockedStep } from '../../../src/workflows/types.js';
import { at, BLOCKED, blocked, crowd, fault } from './snapshots.js';

const theme = createTheme(false, true);
const ALL = Number.POSITIVE_INFINITY;

function frame(snapshot: InstallView, columns = 100, rows = ALL): string[] {
  return renderFrame(snapshot, { theme, columns, rows, now: at(107) });
}

/** So many faults, of one host each. */
function faults(count: number): Record<number, Partial<BlockedStep>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [index, { message: `fault of kind ${'x'.repeat(index)}` }]),
  );
}

describe('a fault that many hosts share', () => {
  it('is told once, with the hosts and with the commands that decide about all of them', async () => {
    await expect(`${frame(fault(60)).join('\n')}\n`).toMatchFileSnapshot('golden/fault.golden');
  });

  it.each([60, 300, 1_000])('takes one screen: %i hosts', (count) => {
    expect(frame(fault(count), 80).length).toBeLessThanOrEqual(24);
  });

  it('says of a cause that is not alone how to retry one of its steps, and all of that verb', () => {
    const lines = frame(fault(60, { 7: { message: 'the disk is full' } })).join('\n');
    expect(lines).toContain('✗ packages on 59 hosts');
    expect(lines).toContain('✗ worker-0008.example.org/packages');
    expect(lines).toContain('then: kubewright retry worker-0001.example.org/packages --cluster demo\n');
    expect(lines).toContain("all:  kubewright retry '*/packages' --cluster demo  # all 60 that are blocked there");
    expect(lines).toContain('then: kubewright retry worker-0008.example.org/packages --cluster demo\n');
    expect(lines).not.toContain("retry '*' ");
  });

  it('decides by the verb where other steps are blocked too, and skips only what may be skipped', () => {
    const view = fault(60);
    view.progress.blocked.push(BLOCKED);
    const lines = frame(view).join('\n');
    expect(lines).toContain("then: kubewright retry '*/packages' --cluster demo\n");
    expect(lines).toContain("or:   kubewright skip '*/packages' --cluster demo --reason '…'\n");
    const withControlPlane = frame(fault(60, { 0: { skippable: false } })).join('\n');
    expect(withControlPlane).toContain('or:   kubewright skip worker-0002.example.org/packages --cluster demo');
    expect(frame(fault(60, faults(0))).join('\n')).toContain("or:   kubewright skip '*' --cluster demo");
  });

  it('is told for tries that failed, too', () => {
    const view = fault(60);
    const blocked = new Map(view.progress.blocked.map((one) => [one.step, one]));
    view.progress.blocked = [];
    view.progress.steps = view.progress.steps.map((step) => {
      const facts = blocked.get(step.id);
      return facts === undefined ? step : { ...step, state: 'running', failed: { ...facts, tries: 1, at: at(99) } };
    });
    const lines = frame(view);
    expect(lines).toContain('! packages on 60 hosts  failed (KW431, try 1); they are tried again by themselves');
    expect(lines.filter((line) => line.includes('failed (KW431'))).toHaveLength(1);
  });
});

describe('many faults', () => {
  it('are told by number of hosts, the first in full, others by a line, and how many more there are', () => {
    const lines = frame(fault(200, faults(100)));
    const heads = lines.filter((line) => line.startsWith('✗ ') && line.includes('blocked for'));
    expect(heads[0]).toContain('packages on 100 hosts');
    expect(heads).toHaveLength(38);
    expect(lines).toContain('… and 63 more causes (63 steps): kubewright status --json shows all');
    expect(lines.length).toBeLessThan(160);
  });

  it.each([4, 8, 12, 23, 60])('leave a live view of %i rows readable: the largest group first', (rows) => {
    for (const view of [fault(1_000), fault(1_000, faults(100))]) {
      const lines = frame(view, 80, rows);
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(lines[1]).toMatch(/^✗ packages on (1000|900) hosts {2}blocked for/);
    }
  });
});

describe('many hosts in a phase', () => {
  it('are counted where they are done or wait, and some of those at work are listed', () => {
    const lines = frame(crowd(999));
    expect(lines).toContain('    … 313 more at work, 333 waiting, 333 done; kubewright status --json shows each');
    expect(lines.length).toBeLessThan(45);
    expect(frame(crowd(45)).filter((line) => /^ {4}[✓●·] w-/.test(line))).toHaveLength(45);
  });

  it('do not run columns together', () => {
    const view = crowd(1_000);
    for (const step of view.progress.steps) step.endedAt ??= at(9);
    for (const step of view.progress.steps) step.state = 'done';
    expect(frame(view)).toContain('✓ prepare        2000/2000  9.0 s');
  });

  it('keep room for what they do where their names are as long as names can be', () => {
    const view = crowd(4);
    const long = (id: string) => id.replace('w-', `${'x'.repeat(30)}-`).replace('/', `${'y'.repeat(31)}/`);
    for (const step of view.progress.steps) {
      step.id = long(step.id);
      step.host = step.id.split('/')[0] ?? null;
    }
    const lines = frame(view, 80);
    expect(lines.find((line) => line.includes('●') && line.includes('packages'))).toMatch(
      /^ {4}● x+…y+ {2}packages {2}1 m 46 s/,
    );
  });
});

describe('a log of many blocked hosts', () => {
  it('tells the first of a group in full, and each other one by a line that refers to it', () => {
    let text = '';
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    });
    const output = new Output({ stdout, stderr: stdout, env: { LANG: 'C.UTF-8' }, json: false, color: false });
    const reporter = createReporter(output, () => at(4_000));
    reporter.update(fault(1_000, { 7: { message: 'the disk is full' } }));
    reporter.update(blocked());
    const told = text.split('\n').filter((line) => !/ {2}(done|started|unchanged)/.test(line));
    const full = told.filter((line) => line.includes('blocked for'));
    expect(full).toHaveLength(3);
    expect(told).toContain('+1:35   ✗ worker-0008.example.org/packages  blocked for 1 h 05 m (KW431, 2 tries)');
    expect(told).toContain(
      '+1:36   ✗ worker-0002.example.org/packages  blocked (KW431), as worker-0001.example.org/packages above',
    );
    expect(told.length).toBeLessThan(1_050);
  });
});
