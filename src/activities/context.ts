import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostsOf } from '../cluster/types.js';
import { stateDirectory } from '../engine/state-directory.js';
import { KubewrightError } from '../errors.js';
import { registerSecret } from '../hosts/redact.js';
import type { DurableResult, Hosts, RemoteHost } from '../hosts/types.js';
import type { RunReference } from '../plan/run.js';
import { FENCED, fenced } from './fence.js';
import type { Writer } from './lease/lease.js';
import { heldHost, holding, Leases } from './lease/leases.js';
import { notingBackups } from './noted-host.js';
import type { StageContext } from './step.js';
import type { DurableOptions, StepHeartbeat, StepInput } from './types.js';

export interface ContextOptions {
  hosts: Hosts;
  signal: AbortSignal;
  /** The run that the step belongs to. */
  run?: RunReference;
  /** Who changes hosts; without it none is held. */
  writer?: Writer;
  /** The hosts that this process holds already. */
  leases?: Leases;
  /** The workflow's run and this try of the step, the same for all attempts of one try; see `DurableCommand.attempt`. */
  attempt?: string;
  /** Where `secret` looks (default: nowhere), and where the state directory is told. */
  env?: NodeJS.ProcessEnv;
  /** Called with every change of stage or line. */
  onProgress?: (state: StepHeartbeat) => void;
}

/** First part of the id of every durable command of a step, so that a later attempt finds what an earlier one started. */
export function durablePrefix(input: Pick<StepInput, 'cluster' | 'step'>): string {
  return `cluster/${input.cluster.name}:${input.step.id}:`;
}

/** Builds what a step's implementation works with. */
export function createContext(input: StepInput, options: ContextOptions): StageContext {
  const { cluster, step } = input;
  const state: StepHeartbeat = { stage: 'probe', line: '' };
  const report = (change: Partial<StepHeartbeat>) => {
    Object.assign(state, change);
    options.onProgress?.({ ...state });
  };
  // A step may ask a hundred hosts at once, and each command listens; Node takes more than ten for a leak, and says so in the log.
  setMaxListeners(0, options.signal);
  const kept: string[] = [];
  const lease = leaseOf(input, options);
  const noteBackup = (path: string, copy: string): void => void kept.push(`${path} as ${copy}`);
  const hostNamed = (name: string): RemoteHost => notingBackups(lease.held(options.hosts.get(name)), noteBackup);
  const context: StageContext = {
    cluster,
    wholeCluster: input.wholeCluster ?? cluster,
    operation: input.operation ?? 'install',
    run: options.run,
    writer: options.writer,
    kept,
    step,
    before: input.before,
    inputs: input.inputs ?? {},
    signal: options.signal,
    stateDirectory: stateDirectory(options.env),
    secret: (variable) => secretIn(options.env ?? {}, variable),
    fence: [options.attempt ?? 'no run', step.id, randomUUID()].join(' '),
    get host(): RemoteHost {
      // A programming error: `cluster/…` steps choose their host with hostNamed().
      if (step.host === null) throw new Error(`step ${step.id} has no host of its own`);
      return hostNamed(step.host);
    },
    hostNamed,
    noteBackup,
    progress: (line) => report({ line: line.slice(0, 500) }),
    stage: (stage, changesHosts = false) => {
      lease.wanted = changesHosts;
      report({ stage, line: '' });
    },
    durable: async (part, script, durable) => {
      const host = durable.host ?? context.host;
      const result = await host.runDurable({
        id: `${durablePrefix(input)}${part}`,
        attempt: options.attempt,
        script,
        guard: durable.guard,
        timeoutSeconds: durable.timeoutSeconds,
        secrets: durable.secrets,
        onOutput: (line) => context.progress(line),
        signal: options.signal,
      });
      if (result.exitCode === FENCED) throw fenced(host.name);
      if (result.exitCode !== 0 || result.result !== 'success') throw durableFailure(part, result, host, durable);
      return result.output;
    },
  };
  return context;
}

function secretIn(env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const value = env[variable];
  if (value) registerSecret(value);
  return value || undefined;
}

/** What a step does on hosts while it applies, it does holding them; while it looks it keeps nobody out. */
function leaseOf({ cluster, wholeCluster }: StepInput, { hosts, writer, leases = new Leases() }: ContextOptions) {
  const first = hostsOf(wholeCluster ?? cluster, 'control-plane')[0]?.name;
  const lease = {
    wanted: false,
    held: (host: RemoteHost): RemoteHost => {
      if (writer === undefined) return host;
      const home = first === undefined ? undefined : hosts.get(first);
      const hold = holding(leases, writer, { home, host });
      return heldHost(host, async () => {
        if (lease.wanted) await hold();
      });
    },
  };
  return lease;
}

function durableFailure(
  part: string,
  result: DurableResult,
  host: RemoteHost,
  options: DurableOptions,
): KubewrightError {
  const seconds = Math.round(result.durationMs / 1000);
  const what =
    result.result === 'timeout'
      ? `did not end within ${options.timeoutSeconds} s and was stopped`
      : result.result === 'exit-code' || result.result === 'success'
        ? `failed with exit code ${result.exitCode} after ${seconds} s`
        : `was ended by the system (${result.result}) after ${seconds} s`;
  return new KubewrightError('KW431', `${part} ${what}`, {
    host: host.name,
    output: result.output,
    hint: options.hint ?? 'The last lines of its output say why. Mend the cause on the host, then retry the step.',
  });
}
