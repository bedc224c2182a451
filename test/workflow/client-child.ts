import { fileURLToPath } from 'node:url';
import { connect } from '../../src/engine/connect.js';
import { ensureWorker } from '../../src/engine/worker-process.js';

/**
 * A client in a process of its own, for tests that kill it: brings the embedded server and a worker with a run on its queue,
 * says which, and waits. With the argument `detach` it leaves them running, and ends.
 */
const [stateDir = '', how] = process.argv.slice(2);
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const engine = await connect({ env: process.env, stateDir, embedded: { ui: false } });
const worker = await ensureWorker(engine, {
  program: file('./worker-child.ts'),
  nodeOptions: ['--import', file('./typescript-loader.mjs')],
});
// No worker knows this workflow, so it stays open.
await engine.client.workflow.start('anything', { taskQueue: engine.taskQueue, workflowId: 'open' });
if (how === 'detach') {
  await engine.server?.detach();
  await worker.detach();
  await worker.leave();
  await engine.close();
}
process.send?.({ worker: worker.pid });
if (how === 'detach') process.disconnect();
else setInterval(() => {}, 1_000_000);
