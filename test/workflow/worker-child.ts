import { appendFileSync, existsSync } from 'node:fs';
import { runWorker } from '../../src/worker.js';
import { beating, FakeActivities } from './fake-activities.js';

/**
 * A worker in a process of its own, for tests that kill it: fake activities, told by the environment.
 * Steps named in FAKE_HOLD run until the file FAKE_RELEASE exists; every try is a line in FAKE_LOG.
 */
const { FAKE_HOLD = '', FAKE_RELEASE = '', FAKE_LOG = '', FAKE_BUNDLE } = process.env;

const fakes = new FakeActivities();
for (const step of FAKE_HOLD.split(',')) {
  fakes.on(step, async (_input, attempt) => {
    appendFileSync(FAKE_LOG, `${step} ${attempt} ${process.pid}\n`);
    return beating(appearance(FAKE_RELEASE));
  });
}

await runWorker({
  activities: fakes.registered(),
  workflowBundle: FAKE_BUNDLE,
  stateDir: process.argv[process.argv.indexOf('--state-dir') + 1],
  onReady: () => process.send?.({ ready: true }),
});
process.exit(0);

function appearance(path: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!existsSync(path)) return;
      clearInterval(timer);
      resolve();
    }, 50);
  });
}
