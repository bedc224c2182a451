// `npm run bench`: everything set up, then one table from one run. Takes about a quarter of an hour on two quiet cores.
import { runBuilt } from './run-built.mjs';
import { main } from './setup.mjs';

await main(() => runBuilt('npm run bench', 'bench/index.js'));
