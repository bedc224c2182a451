import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stateDirectory } from '../../src/engine/state-directory.js';
import { isComplete, recordOf, tableOf } from './report.js';
import { type Measured, measureTopology } from './run.js';
import { chosen, TOPOLOGIES, type Topology } from './topologies.js';

const USAGE = `npm run bench:faults [-- TOPOLOGY…]

How long the API is away, for every topology and fault, and one table at the end. Topologies, all of them unless named:
${TOPOLOGIES.map(({ key }) => `  ${key}`).join('\n')}`;

/** Exit code 1 when something could not be measured, 2 for a topology that there is not. A missed goal is a figure, no failure. */
async function main(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  let topologies: Topology[];
  try {
    topologies = chosen(args);
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return 2;
  }
  const home = await stateDirectory(process.env);
  const record = join(home, 'bench-faults.json');
  await mkdir(home, { recursive: true });
  const all: Measured[] = [];
  for (const topology of topologies) {
    all.push(await measureTopology(topology, join(home, 'bench-faults', topology.key)));
    // After each: an interrupted run has taken long enough for what it knows.
    await writeFile(record, `${JSON.stringify(recordOf(all, new Date()), null, 2)}\n`);
  }
  console.log(`\n${tableOf(all)}\n\nAll figures: ${record}`);
  return isComplete(all) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
