import { dirname } from 'node:path';
import { interruptible } from '../../src/artifacts/interruptible.js';
import { stageTable } from '../../src/artifacts/stages.js';
import { DEFAULTS } from '../../src/cluster/defaults.js';
import { ensureAllArtifacts } from '../artifacts/prefetch.js';

const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const result = (line: string): void => void process.stdout.write(`${line}\n`);

/** `kubewright lab artifacts`: builds what is missing and prints how long each part took, as a benchmark. */
export async function prefetch(options: { kubernetes?: string }): Promise<void> {
  const version = options.kubernetes ?? DEFAULTS.kubernetes.version;
  const begin = performance.now();
  const made = await interruptible((signal) => ensureAllArtifacts({ version, signal, log: progress }));
  for (const line of stageTable(made.stages)) result(line);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  result(made.stages.length === 0 ? 'Everything was there already.' : `${seconds.padStart(8)} s  in all`);
  result(`Temporal  ${dirname(made.temporal.cli)}`);
  result(`bundle    ${made.bundle}`);
}
