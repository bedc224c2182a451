import { isKubewrightError, KubewrightError } from '../../../../src/errors.js';
import { until } from '../../machine/run.js';
import { HOST_ENVIRONMENT, type ScriptOptions, type ScriptResult } from '../carrier.js';
import { askAgent } from './agent.js';

/** How long the agent may take for one answer once it has begun to answer, in ms; a busy emulated guest is slow. */
const ANSWER_LIMIT = 30_000;

/** The same for whether it answers at all, which is asked again and again. */
const PING_LIMIT = 3_000;

/** How much longer than the script itself this waits, in ms: the guest ends the script, and says so. */
const GRACE = 30_000;

interface Started {
  pid: number;
}

interface Status {
  exited: boolean;
  exitcode?: number;
  'out-data'?: string;
  'err-data'?: string;
}

/**
 * Runs a bash script as root on a guest, by its agent.
 *
 * @param host the guest's name, for errors
 * @throws KW634 when the agent does not answer while the script may run, KW637 when the guest was started anew meanwhile
 */
export async function runByAgent(
  socket: string,
  host: string,
  script: string,
  { input, timeoutMs }: ScriptOptions,
): Promise<ScriptResult> {
  const begin = performance.now();
  const end = begin + timeoutMs + GRACE;
  // The agent starts late in a boot: as long as the script might take, one waits for it. Then the script is sent once, for
  // an answer that is lost does not say whether it runs.
  const answers = await until(() => ask<object>(socket, 'guest-ping', {}, PING_LIMIT), timeoutMs);
  const started = answers && (await ask<Started>(socket, 'guest-exec', guestExec(script, input, timeoutMs)));
  if (!started) throw silent(host);
  const status = await until(
    async () => {
      const answer = await statusOf(socket, host, started);
      return answer?.exited ? answer : undefined;
    },
    end - performance.now(),
    50,
  );
  if (!status) throw silent(host);
  return {
    exitCode: status.exitcode,
    stdout: text(status['out-data']),
    stderr: text(status['err-data']),
    durationMs: performance.now() - begin,
    timedOut: status.exitcode === 124,
  };
}

/** An agent that knows nothing of the script is another one: that of the next boot. */
async function statusOf(socket: string, host: string, { pid }: Started): Promise<Status | undefined> {
  try {
    return await ask<Status>(socket, 'guest-exec-status', { pid });
  } catch (cause) {
    if (!isKubewrightError(cause) || cause.code !== 'KW635') throw cause;
    throw new KubewrightError(
      'KW637',
      'The guest was started anew while a script ran in it: how that ended is not known.',
      {
        host,
        hint: 'Where nobody rebooted it, console.log in its directory shows why it did.',
        cause,
      },
    );
  }
}

async function ask<T>(
  socket: string,
  command: string,
  args: Record<string, unknown>,
  timeoutMs = ANSWER_LIMIT,
): Promise<T | undefined> {
  return (await askAgent(socket, command, args, timeoutMs)) as T | undefined;
}

/** `timeout` in the guest: nobody else could end the script there. */
function guestExec(script: string, input: string | Buffer | undefined, timeoutMs: number): Record<string, unknown> {
  return {
    path: '/usr/bin/timeout',
    arg: ['--kill-after=5', String(timeoutMs / 1000), 'bash', '-c', script],
    env: Object.entries({ ...HOST_ENVIRONMENT, HOME: '/root' }).map(([name, value]) => `${name}=${value}`),
    'capture-output': true,
    ...(input === undefined ? {} : { 'input-data': Buffer.from(input).toString('base64') }),
  };
}

function text(base64 = ''): string {
  return Buffer.from(base64, 'base64').toString().replace(/\n$/, '');
}

function silent(host: string): KubewrightError {
  return new KubewrightError('KW634', 'The guest does not answer on its serial line.', {
    host,
    hint: 'It is booting still, or it hangs: console.log in its directory shows what it printed.',
  });
}
