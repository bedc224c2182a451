import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/engine/index.js';
import { type Report, tableOf } from './report.js';
import { type Bench, measureFault, measureInstall, measureRecovery, measureSilent } from './runs.js';

const SIZES = [100, 300, 1_000];

/** One host in fifty never answers. */
const SILENT_SHARE = 1 / 50;

const FEWEST = 5;

const INSTALLS_ALONE = 'installs';

/**
 * `npm run bench:scale [-- [installs] HOSTS…]`: installs of clusters of these sizes, on fake hosts that speak real SSH and take the time
 * of real ones; Temporal, worker and program are what a user has. One table from one run. With `installs` the stories of the largest
 * cluster (a killed worker, a fault of all hosts, silent ones) are left out: what is left has the health checks.
 */
async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const isShort = words[0] === INSTALLS_ALONE;
  const sizes = sizesOf(isShort ? words.slice(1) : words);
  const stateDir = await mkdtemp(join(tmpdir(), 'kubewright-scale-'));
  const engine = await connect({ stateDir });
  try {
    console.log(`\n${tableOf(await measureAll({ engine, stateDir }, sizes, isShort))}`);
  } finally {
    await engine.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

function sizesOf(words: string[]): number[] {
  const sizes = words.length === 0 ? SIZES : words.map(Number);
  if (sizes.every((size) => Number.isInteger(size) && size >= FEWEST)) return sizes.sort((a, b) => a - b);
  throw new Error(`numbers of hosts, ${FEWEST} or more, such as: npm run bench:scale -- 100 300`);
}

async function measureAll(bench: Bench, sizes: number[], isShort: boolean): Promise<Report> {
  const report: Report = { installs: new Map() };
  for (const size of sizes) {
    report.installs.set(size, await stage(`install ${size} hosts`, () => measureInstall(bench, size)));
  }
  if (isShort) return report;
  const most = sizes.at(-1) ?? FEWEST;
  report.recovery = await stage(`install ${most} hosts, the worker killed`, () => measureRecovery(bench, most));
  report.fault = await stage(`install ${most} hosts, all with a fault`, () => measureFault(bench, most));
  const silent = Math.ceil(most * SILENT_SHARE);
  const figures = await stage(`install ${most} hosts, ${silent} silent`, () => measureSilent(bench, most, silent));
  report.silent = { ...figures, hosts: most, silent };
  return report;
}

async function stage<T>(title: string, measure: () => Promise<T>): Promise<T> {
  const began = performance.now();
  console.log(`==> ${title}`);
  const result = await measure();
  console.log(`    ${((performance.now() - began) / 1_000).toFixed(0)} s  ${JSON.stringify(result)}`);
  return result;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
await main();
process.exit();
