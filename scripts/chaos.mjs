// `npm run test:chaos`: everything set up, then installs that are interrupted in every way at every moment. Takes hours;
// `npm test` runs a part of it. See `npm run test:chaos -- --help`.
import { runBuilt } from './run-built.mjs';
import { main } from './setup.mjs';

await main(() => runBuilt('npm run test:chaos', 'test/chaos/index.js', process.argv.slice(2)));
