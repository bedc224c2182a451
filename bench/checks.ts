import { execa } from 'execa';
import { median, PROGRAM } from './shell.js';

/** How long health checks of a cluster take, in seconds: from when a worker takes one up to its verdict. */
export interface CheckTimes {
  deep: number;
  quick: number;
}

const TIMES = 3;

/**
 * Checks a cluster, deeply and quickly, three times each; medians. What a check finds does not matter here, but that it has come to its
 * end: one that looks twice takes longer, and says so by what it prints.
 *
 * @param args global options, such as the state directory
 * @throws Error when a check has no report
 */
export async function measureChecks(args: readonly string[], file: string, ...options: string[]): Promise<CheckTimes> {
  const measured = { deep: [] as number[], quick: [] as number[] };
  for (let time = 0; time < TIMES; time++) {
    // A deep one first: without it there is no quick one.
    measured.deep.push(await check(args, file, '--now', ...options));
    measured.quick.push(await check(args, file, '--quick', ...options));
  }
  return { deep: median(measured.deep), quick: median(measured.quick) };
}

interface Told {
  type: string;
  verdict?: string;
  tookMs?: number;
  findings?: { code: string }[];
}

async function check(args: readonly string[], file: string, ...options: string[]): Promise<number> {
  const { stdout, stderr } = await execa(process.execPath, [PROGRAM, ...args, 'health', file, '--json', ...options], {
    reject: false,
    stdin: 'ignore',
  });
  const objects = stdout.split('\n').filter((line) => line.startsWith('{'));
  const report = objects.map((line): Told => JSON.parse(line)).find(({ type }) => type === 'health');
  if (report?.tookMs === undefined)
    throw new Error(`health ${options.join(' ')} told no report:\n${stderr.slice(-2_000)}`);
  const found = (report.findings ?? []).map(({ code }) => code).join(', ');
  if (report.verdict !== 'ok') console.log(`health ${options.join(' ')}: ${report.verdict} (${found})`);
  return report.tookMs / 1_000;
}
