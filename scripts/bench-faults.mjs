// `npm run bench:faults [-- TOPOLOGY…]`: everything set up, then every fault of every topology and one table from one run. Takes
// about half an hour on two cores.
import { runBuilt } from './run-built.mjs';
import { main } from './setup.mjs';

await main(() => runBuilt('npm run bench:faults', 'bench/faults/index.js', process.argv.slice(2)));
