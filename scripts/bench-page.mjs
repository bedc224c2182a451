// `npm run bench:page`: how fast the page is seen and follows what happens, and what it weighs, as one table from one run. Needs Chromium;
// Temporal is built or downloaded first where it is not in the cache.
import { join } from 'node:path';
import { installAndBuild, main, missingForAnything, ROOT, run, SetupError, sentenceOf } from './setup.mjs';

await main(async () => {
  const missing = missingForAnything();
  if (missing.length > 0) throw new SetupError(`npm run bench:page needs ${sentenceOf(missing)}.`);
  await installAndBuild();
  await run(process.execPath, [join(ROOT, 'dist', 'bench', 'page', 'index.js')]);
});
