import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { installRuntime, runWorker } from '../../src/worker.js';
import { beating, FakeActivities } from './fake-activities.js';
import { fakeDrill } from './fake-drill.js';

/**
 * A worker in a process of its own, for tests that kill it: fake activities, told by the environment.
 * With KUBEWRIGHT_METRICS it serves metrics, as `kubewright worker` does. FAKE_LOOK milliseconds pass between two looks whether it is used. Steps named in FAKE_HOLD run until the file FAKE_RELEASE exists; every try is a line in FAKE_LOG. The look named in FAKE_FINDS finds a node that is not ready.
 * With FAKE_DRILL, a directory, they are the steps of `fakeDrill`, and the one named in FAKE_HOLD is held at its first try alone.
 */
const {
  FAKE_HOLD = '',
  FAKE_FINDS,
  FAKE_RELEASE = '',
  FAKE_LOG = '',
  FAKE_BUNDLE,
  FAKE_LOOK,
  FAKE_DRILL,
} = process.env;
const argument = (name: string): string => process.argv[process.argv.indexOf(name) + 1] ?? '';

if (process.env.KUBEWRIGHT_METRICS) installRuntime(process.env);
const fakes = new FakeActivities();
if (FAKE_DRILL !== undefined) {
  fakeDrill(fakes, FAKE_DRILL, async (step) => {
    appendFileSync(FAKE_LOG, `${step} ${process.pid}\n`);
    if (FAKE_HOLD === step && triesOf(step) === 1) await beating(new Promise(() => {}));
  });
}
for (const step of FAKE_DRILL === undefined ? FAKE_HOLD.split(',') : []) {
  fakes.on(step, async (_input, attempt) => {
    appendFileSync(FAKE_LOG, `${step} ${attempt} ${process.pid}\n`);
    return beating(appearance(FAKE_RELEASE));
  });
}
if (FAKE_FINDS !== undefined) {
  const findings = [{ code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: '' }];
  fakes.on(FAKE_FINDS, () => ({ outcome: 'unchanged', summary: '', findings }));
}

await runWorker({
  activities: fakes.registered(),
  workflowBundle: FAKE_BUNDLE,
  stateDir: argument('--state-dir'),
  background: {
    record: argument('--record'),
    lookMs: FAKE_LOOK === undefined ? undefined : Number(FAKE_LOOK),
    idleMs: 1_000,
  },
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

/** Of a step of a drill, by whichever worker. */
function triesOf(step: string): number {
  const lines = readFileSync(FAKE_LOG, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith(`${step} `)).length;
}
