import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Topology } from '../../lab/hosts/index.js';
import { stateDirectory } from '../../lab/hosts/paths.js';
import { Installed } from '../lab/support/installed.js';
import { FAULTS } from './faults.js';
import { type Chaos, type Interruption, interruptedInstall, type Report } from './interrupted-install.js';

const USAGE = `npm run test:chaos [-- OPTIONS]

Interrupts installs at every step boundary and inside the long steps, until every fault has met every boundary, and prints a
table. What has passed is remembered: interrupted itself, it goes on where it stood.

  --topology stacked | external-etcd    only this one
  --moments boundaries | inside         only these
  --rotation K                          only this rotation, from 0 to ${FAULTS.length - 1}
  --seed N                              decides the moments inside the long steps (default 1)
  --fresh                               forget what has passed`;

interface Run extends Pick<Chaos, 'moments' | 'rotation' | 'seed'> {
  topology: Topology;
}

interface Outcome {
  interruptions: Interruption[];
  merged: number;
  seconds: number;
  broken: string[];
}

/** `npm run test:chaos`: prints a line for each interruption, and the table at the end. @returns the exit code */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      topology: { type: 'string' },
      moments: { type: 'string' },
      rotation: { type: 'string' },
      seed: { type: 'string', default: '1' },
      fresh: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const memory = new Memory(join(stateDirectory(), 'chaos.json'));
  await memory.load(values.fresh);
  const runs = everyRun(Number(values.seed)).filter(
    (run) =>
      (values.topology ?? run.topology) === run.topology &&
      (values.moments ?? run.moments) === run.moments &&
      Number(values.rotation ?? run.rotation) === run.rotation,
  );
  if (runs.length === 0) {
    console.error(`Nothing to run.\n\n${USAGE}`);
    return 2;
  }
  for (const run of runs) {
    if (memory.passed(run) !== undefined) console.log(`==> ${nameOf(run)}: passed before`);
    else await memory.remember(run, await carryOut(run));
  }
  return printResult(runs, memory);
}

/** n rotations of n faults, at the boundaries and inside, for each topology. */
function everyRun(seed: number): Run[] {
  return (['stacked', 'external-etcd'] as const).flatMap((topology) =>
    (['boundaries', 'inside'] as const).flatMap((moments) =>
      FAULTS.map((_, rotation) => ({ topology, moments, rotation, seed: seed + rotation })),
    ),
  );
}

async function carryOut(run: Run): Promise<Outcome> {
  console.log(`==> ${nameOf(run)}`);
  const cluster = await Installed.up('chaos', run.topology);
  try {
    const report = await interruptedInstall(cluster, { ...run, log: (line) => console.log(`    ${line}`) });
    if (report.broken.length > 0)
      console.log(`${report.lastLines}\n    BROKEN: ${report.broken.join('\n    BROKEN: ')}`);
    return outcomeOf(report);
  } catch (error) {
    // One run that does not come to its end is one line of the table; the others still tell something.
    console.error(error);
    return { interruptions: [], merged: 0, seconds: 0, broken: [String(error).split('\n')[0] ?? ''] };
  } finally {
    await cluster.down();
  }
}

function outcomeOf({ interruptions, merged, seconds, broken }: Report): Outcome {
  const changed = interruptions.flatMap((one) => one.changed);
  return { interruptions, merged, seconds: seconds.install, broken: [...broken, ...changed] };
}

function printResult(runs: Run[], memory: Memory): number {
  const done = runs.map((run) => ({ run, outcome: memory.get(run) }));
  const all = done.flatMap(({ outcome }) => outcome?.interruptions ?? []);
  console.log('\ninterruption                        times  recovery: median      max   from');
  for (const { name } of FAULTS) {
    const struck = all.filter(({ fault }) => fault === name);
    const seconds = struck
      .filter(({ recovery }) => recovery.kind === 'running')
      .map(({ recovery }) => recovery.seconds);
    seconds.sort((a, b) => a - b);
    const shown = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(1)} s`);
    const cells = [
      name.padEnd(34),
      String(struck.length).padStart(6),
      shown(seconds[seconds.length >> 1]).padStart(18),
    ];
    console.log(`${cells.join(' ')} ${shown(seconds.at(-1)).padStart(8)}   ${struck[0]?.since ?? ''}`);
  }
  console.log('\ninstall                                   interruptions  merged  seconds  result');
  for (const { run, outcome } of done) {
    if (outcome === undefined) continue;
    const result = outcome.broken.length === 0 ? 'converged' : `BROKEN: ${outcome.broken.join('; ')}`;
    const cells = [nameOf(run).padEnd(42), String(outcome.interruptions.length).padStart(12)];
    const rest = [String(outcome.merged).padStart(7), outcome.seconds.toFixed(0).padStart(8)];
    console.log(`${cells.join(' ')} ${rest.join(' ')}  ${result}`);
  }
  const passed = done.filter(({ outcome }) => outcome?.broken.length === 0).length;
  console.log(`\n${passed} passed, ${done.length - passed} failed`);
  return passed === done.length ? 0 : 1;
}

function nameOf({ topology, moments, rotation, seed }: Run): string {
  return `${topology}, ${moments}, rotation ${rotation}, seed ${seed}`;
}

/** What has passed, in a file, so that hours of runs need not be one sitting. Failures are run again. */
class Memory {
  #outcomes: Record<string, Outcome> = {};

  constructor(private readonly file: string) {}

  async load(fresh: boolean): Promise<void> {
    if (fresh) return;
    const text = await readFile(this.file, 'utf8').catch(() => '{}');
    this.#outcomes = JSON.parse(text) as Record<string, Outcome>;
  }

  get(run: Run): Outcome | undefined {
    return this.#outcomes[nameOf(run)];
  }

  passed(run: Run): Outcome | undefined {
    const outcome = this.get(run);
    return outcome?.broken.length === 0 ? outcome : undefined;
  }

  async remember(run: Run, outcome: Outcome): Promise<void> {
    this.#outcomes[nameOf(run)] = outcome;
    await mkdir(dirname(this.file), { recursive: true });
    await writeFile(`${this.file}.new`, `${JSON.stringify(this.#outcomes, null, 2)}\n`);
    await rename(`${this.file}.new`, this.file);
  }
}

process.exitCode = await main();
