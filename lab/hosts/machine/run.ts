import { execa } from 'execa';
import { KubewrightError } from '../../../src/errors.js';

/**
 * Runs a short command on the machine and returns its output. It dies with this process (util-linux's setpriv sets the
 * parent-death signal), so that nothing is still being made while another process takes the lab down.
 *
 * @throws KW690 with the command and its output when it fails
 */
export async function run(command: string, args: string[], options: { input?: string } = {}): Promise<string> {
  const result = await execa('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    reject: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  if (!result.failed) return result.stdout;
  throw new KubewrightError(
    'KW690',
    `\`${command} ${args.join(' ')}\` failed on this machine: ${result.shortMessage}`,
    {
      output: result.stderr,
      hint: 'Nothing half made is left; `kubewright lab down --leftovers` makes sure of it.',
    },
  );
}

/** As `run`, for what may fail: undefined then. */
export async function tryRun(
  command: string,
  args: string[],
  options: { input?: string } = {},
): Promise<string | undefined> {
  try {
    return await run(command, args, options);
  } catch {
    return undefined;
  }
}

/**
 * Waits until `condition` gives something other than undefined or false.
 *
 * @param milliseconds how long at most
 * @returns what it gave, or undefined when the time was over
 */
export async function until<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  milliseconds: number,
  everyMs = 20,
): Promise<T | undefined> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as T;
    if (performance.now() >= end) return undefined;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
