// `npm run bench:scale [-- HOSTS…]`: installs of large clusters on fake hosts, then one table from one run. Needs neither root
// nor a lab; Temporal is built or downloaded first where it is not in the cache.
import { join } from 'node:path';
import { installAndBuild, main, missingForAnything, ROOT, run, SetupError, sentenceOf } from './setup.mjs';

await main(async () => {
  const missing = missingForAnything();
  if (missing.length > 0) throw new SetupError(`npm run bench:scale needs ${sentenceOf(missing)}.`);
  await installAndBuild();
  await run(process.execPath, [join(ROOT, 'dist', 'bench', 'scale', 'index.js'), ...process.argv.slice(2)]);
});
