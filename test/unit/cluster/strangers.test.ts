import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadCluster } from '../../../src/cluster/load.js';
import { formatProblem, isClusterFileError } from '../../../src/cluster/problem.js';

/** Files as people write them who come from other tools or have read half of the reference, and what they are told. */
const STRANGERS = join(import.meta.dirname, 'strangers');

it.each(readdirSync(STRANGERS).filter((name) => name.endsWith('.yaml')))('%s', async (name) => {
  const { problems, verdict } = await loadCluster(join(STRANGERS, name)).then(
    ({ warnings }) => ({ problems: warnings, verdict: 'taken' }),
    (error: unknown) => {
      if (!isClusterFileError(error)) throw error;
      return { problems: error.problems, verdict: 'refused' };
    },
  );
  const told = problems.map((problem) => formatProblem({ ...problem, file: name }));
  await expect(`${[...told, verdict].join('\n')}\n`).toMatchFileSnapshot(
    join(STRANGERS, name.replace('.yaml', '.golden')),
  );
});
