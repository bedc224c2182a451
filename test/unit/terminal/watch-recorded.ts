// Plays recorded moments through the real output and reporter, for the test that runs it on a pseudo-terminal.
import { Output } from '../../../src/terminal/output.js';
import { createReporter } from '../../../src/terminal/reporter.js';
import { at, blocked, crowd, done } from './snapshots.js';

const { stdout, stderr, env } = process;
const output = new Output({ stdout, stderr, env, json: false, color: true });
output.line('$ kubewright watch demo');
const reporter = createReporter(output, () => at(107));
for (const snapshot of [crowd(50), blocked(), done()]) reporter.update(snapshot);
reporter.close();
output.line('after');
