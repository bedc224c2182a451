// Bundles the compiled workflows for the worker, and holds the bundle to its rules: nothing of Node, zod or ssh2 in it, and
// small. Run by `npm run build`, behind tsc. Two bundles: one of them for workers with a payload key.
import { rename, writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';
import { bundleOptions, bundlePath } from '../dist/src/engine/worker/bundle.js';
import { checkBundle } from '../dist/src/engine/worker/bundle-check.js';

const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };

for (const encrypted of [false, true]) {
  const { code } = await bundleWorkflowCode({ ...bundleOptions(encrypted), logger: quiet });
  const faults = checkBundle(code);
  if (faults.length > 0) {
    console.error(`The workflow bundle is not fit to run:\n  ${faults.join('\n  ')}`);
    process.exit(1);
  }
  const path = bundlePath(encrypted);
  await writeFile(`${path}.partial`, code);
  await rename(`${path}.partial`, path);
  console.log(`${path}: ${Math.round(code.length / 1024)} KiB`);
}
