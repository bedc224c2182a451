import { execa } from 'execa';
import type { ClusterHost } from '../../cluster/types.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import { redact } from '../../hosts/redact.js';
import type { RemoteHost } from '../../hosts/types.js';
import { lookUntil, notYet, seen } from '../../waiting.js';
import type { StepContext } from '../types.js';
import { POWER_VARIABLES, powerFault, wordsOf } from './words.js';

/** Long enough for a machine that is told to shut down in order. */
export const OFF_PATIENCE_MS = 90_000;
/** Long enough for a server's firmware. */
const ON_PATIENCE_MS = 10 * 60_000;
const COMMAND_LIMIT_MS = 2 * 60_000;
const LOOK_EVERY_MS = 1_000;
const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';

/** Puts a host's name and address into a command line. Pure. */
export function filledIn(words: readonly string[], { name, address }: Pick<ClusterHost, 'name' | 'address'>): string[] {
  return words.map((word) => word.replaceAll('{host}', name).replaceAll('{address}', address));
}

/** The start of the kernel that a host runs; undefined while it does not answer. */
export async function bootOf(remote: RemoteHost, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await remote.run(BOOT_ID, { signal, timeoutMs: 5_000, root: false })).stdout.trim();
  } catch (error) {
    signal.throwIfAborted();
    // KW411 (commandTimedOut): over a connection from before, a host without power says nothing at all.
    if (!isKubewrightError(error) || !(error.code.startsWith('KW2') || error.code === 'KW411')) throw error;
    return undefined;
  }
}

/**
 * A power command as the worker's environment has it.
 *
 * @throws KubewrightError KW673 when it has none, or none that can be understood
 */
export function powerCommand({ secret }: Pick<StepContext, 'secret'>, which: keyof typeof POWER_VARIABLES): string[] {
  const variable = POWER_VARIABLES[which];
  const text = secret(variable);
  const fault = text === undefined ? 'is not set' : powerFault(text);
  if (text !== undefined && fault === undefined) return wordsOf(text) ?? [];
  throw new KubewrightError('KW673', `${variable} in the environment of the worker ${fault}`, {
    hint: `Who runs the worker decides which command it may run. Set ${Object.values(POWER_VARIABLES).join(' and ')} there and start it anew; \`kubewright drill --power-off … --power-on …\` does it for a worker of its own.`,
  });
}

/**
 * Runs a power command where the worker runs, with its environment, as words and by no shell.
 *
 * @throws KubewrightError KW673 when it cannot be run, or fails
 */
export async function runPower(
  context: Pick<StepContext, 'secret' | 'signal' | 'progress'>,
  which: keyof typeof POWER_VARIABLES,
  host: ClusterHost,
): Promise<void> {
  const { signal, progress } = context;
  const [program = '', ...rest] = filledIn(powerCommand(context, which), host);
  progress(`running ${program}`);
  const done = await execa(program, rest, {
    stdin: 'ignore',
    reject: false,
    all: true,
    timeout: COMMAND_LIMIT_MS,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (!done.failed) return;
  const why = done.timedOut
    ? `did not end within ${COMMAND_LIMIT_MS / 60_000} minutes`
    : done.exitCode === undefined
      ? `could not be run: ${done.shortMessage}`
      : `failed with exit code ${done.exitCode}`;
  throw new KubewrightError('KW673', `the power command for ${host.name} (${program}) ${why}`, {
    host: host.name,
    output: redact((done.all ?? '').slice(-2_000)),
    hint: 'It runs on the machine of the worker, with its environment. Try it there by hand.',
  });
}

/**
 * Waits until a host that was switched off does not answer any more.
 *
 * @param boot what it said before
 * @throws KubewrightError KW673 when it still answers, or has come back by itself
 */
export async function awaitOff(
  context: Pick<StepContext, 'hostNamed' | 'signal' | 'progress'>,
  host: ClusterHost,
  boot: string | undefined,
  patienceMs = OFF_PATIENCE_MS,
): Promise<void> {
  const { signal, progress } = context;
  const look = async () => {
    const now = await bootOf(context.hostNamed(host.name), signal);
    if (now === undefined) return seen('off' as const);
    return boot !== undefined && now !== boot ? seen('restarted' as const) : notYet(`${host.name} still answers`);
  };
  const came = await lookUntil(look, { patienceMs, everyMs: LOOK_EVERY_MS, signal, progress });
  if (came === 'off') return;
  const what =
    came === 'restarted'
      ? `${host.name} was restarted by the power-off command instead of switched off`
      : `${host.name} still answers ${Math.round(patienceMs / 1_000)} s after the power-off command: it does nothing, or something to another host`;
  throw new KubewrightError('KW673', what, {
    host: host.name,
    hint: 'See that --power-off takes the power of the host that {host} or {address} names. Look at the other hosts, too.',
  });
}

/** Waits until a host answers. @throws KubewrightError KW674 when it does not in ten minutes */
export async function awaitOn(context: StepContext, host: ClusterHost): Promise<void> {
  const { signal, progress } = context;
  const look = async () => {
    const boot = await bootOf(context.hostNamed(host.name), signal);
    return boot === undefined ? notYet(`waiting for ${host.name} to answer`) : seen(boot);
  };
  const boot = await lookUntil(look, { patienceMs: ON_PATIENCE_MS, everyMs: LOOK_EVERY_MS, signal, progress });
  if (boot !== undefined) return;
  throw new KubewrightError('KW674', `${host.name} was switched on and does not answer after ten minutes`, {
    host: host.name,
    hint: 'Switch it on by hand; it comes back into the cluster by itself. Its console says what keeps it.',
  });
}
