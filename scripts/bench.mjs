// `npm run bench`: everything set up, then one table from one run. Takes about ten minutes on two quiet cores.
import { join } from 'node:path';
import { ensureEverything } from './artifacts.mjs';
import {
  installAndBuild,
  main,
  missingForAnything,
  missingForLab,
  ROOT,
  run,
  SetupError,
  sentenceOf,
  useGoFromItsDirectory,
} from './setup.mjs';

async function bench() {
  const missing = [...missingForAnything(), ...missingForLab()];
  if (missing.length > 0) throw new SetupError(`npm run bench needs ${sentenceOf([...new Set(missing)])}.`);
  useGoFromItsDirectory();
  await installAndBuild();
  await ensureEverything();
  await run(process.execPath, [join(ROOT, 'dist', 'bench', 'index.js')]);
  return 0;
}

await main(bench);
