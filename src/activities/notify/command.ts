import type { HealthMessage } from '../../plan/health-message.js';
import type { Ended, RunProgram } from './run-program.js';
import { type LookUp, quoted, reasonOf, untold } from './trouble.js';

/** What the activity works with. */
export interface CommandSurroundings {
  run: RunProgram;
  lookUp: LookUp;
  /** Ends the try. */
  signal: AbortSignal;
}

/**
 * All that a program gets of the worker's environment: that holds sudo passwords and other secrets, which are none of its
 * business.
 */
const KEPT = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ'];

/**
 * Runs a program on the worker's machine, with the message as JSON as its input. Once: it may have told somebody before it failed.
 *
 * @throws KubewrightError KW686 where it cannot be started, fails, or does not end in time
 */
export async function runCommand(
  argv: readonly string[],
  { json }: HealthMessage,
  { run, lookUp, signal }: CommandSurroundings,
): Promise<void> {
  const [program = ''] = argv;
  const env = Object.fromEntries(
    KEPT.flatMap((name) => [[name, lookUp(name)]]).filter(([, value]) => value !== undefined),
  );
  let ended: Ended;
  try {
    ended = await run(argv, { input: `${JSON.stringify(json)}\n`, env, signal });
  } catch (error) {
    throw untold(`${program} cannot be started: ${reasonOf(error, [])}`, {
      hint: "Put it on the worker's machine, executable for who runs the worker, or correct command.",
    });
  }
  const { code, signal: how, stderr } = ended;
  if (code === 0) return;
  const said = quoted(stderr, []);
  const words = signal.aborted
    ? `${program} did not end in time, and was ended`
    : `${program} ended with ${code === null ? how : `exit code ${code}`}`;
  throw untold(`${words}${said === '' ? '' : ` (${said})`}`, { hint: `Run it by hand to see why.` });
}
