// `npm run bench`: everything set up, then one table from one run. Takes about six minutes on two quiet cores.
import { runBuilt } from './run-built.mjs';
import { main } from './setup.mjs';

await main(() => runBuilt('npm run bench', 'bench/index.js'));
