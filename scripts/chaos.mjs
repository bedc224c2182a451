// `npm run test:chaos`: everything set up, then installs that are interrupted in every way at every moment. Takes hours;
// `npm test` runs a part of it. See `npm run test:chaos -- --help`.
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

async function chaos() {
  const missing = [...missingForAnything(), ...missingForLab()];
  if (missing.length > 0) throw new SetupError(`npm run test:chaos needs ${sentenceOf([...new Set(missing)])}.`);
  useGoFromItsDirectory();
  await installAndBuild();
  const args = process.argv.slice(2);
  if (!args.includes('--help') && !args.includes('-h')) await ensureEverything();
  await run(process.execPath, [join(ROOT, 'dist', 'test', 'chaos', 'index.js'), ...args]);
}

await main(chaos);
