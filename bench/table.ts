import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One figure: what was measured, in which unit, and what the project wants of it. */
export interface Figure {
  /** Stable name, by which the run before is looked up. */
  key: string;
  what: string;
  value: number;
  unit: string;
  goal: string;
}

/**
 * Prints one table from one run, each figure beside what it was on the run before, and remembers it for the next.
 * Machines are noisy: the ratios mean something, the seconds only beside each other.
 */
export async function printTable(figures: Figure[], memory: string): Promise<void> {
  const before = await readBefore(memory);
  const rows = figures.map(({ key, what, value, unit, goal }) => [
    what,
    shown(value, unit),
    before[key] === undefined ? '–' : shown(before[key], unit),
    goal,
  ]);
  const all = [['figure', 'now', 'before', 'goal'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  for (const row of all)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  await mkdir(dirname(memory), { recursive: true });
  const now = Object.fromEntries(figures.map(({ key, value }) => [key, value]));
  await writeFile(memory, `${JSON.stringify({ ...before, ...now }, null, 2)}\n`);
}

async function readBefore(memory: string): Promise<Record<string, number>> {
  try {
    return JSON.parse(await readFile(memory, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}

function shown(value: number, unit: string): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`.trim();
}
