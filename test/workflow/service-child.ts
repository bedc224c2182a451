import { runService } from '../../src/engine/service/run.js';
import { FakeActivities } from './fake-activities.js';

/** `kubewright server run` in a process of its own, with fake activities: its state directory is the argument. */
const [stateDir = ''] = process.argv.slice(2);
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());

await runService({
  env: process.env,
  stateDir,
  signal: ending.signal,
  embedded: { ui: false },
  activities: new FakeActivities().registered(),
  workflowBundle: process.env.FAKE_BUNDLE,
  onReady: () => process.send?.({ ready: true }),
});
process.exit(0);
