import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import Long from 'long';
import { connect, describeRun, type Engine, type RunSnapshot } from '../../../src/engine/index.js';
import type { StepProgress } from '../../../src/workflows/types.js';

const PROGRAM = fileURLToPath(new URL('../../../bin/kubewright.mjs', import.meta.url));

/** Far longer than any test may take: what happens before it did not happen by waiting. */
const LONG_WAIT_S = 60 * 60;

/** One cluster's installs, started by the command line as a user starts them, and looked at from outside. */
export class Install {
  private constructor(
    readonly cluster: string,
    private readonly clusterFile: string,
    private readonly stateDir: string,
    readonly engine: Engine,
  ) {}

  /** Starts the install in the background, with worker and embedded server of a state directory of its own. */
  static async start(cluster: string, clusterFile: string, stateDir: string): Promise<Install> {
    await kubewright(['install', clusterFile, '--detach'], stateDir);
    return new Install(cluster, clusterFile, stateDir, await connect({ stateDir, env: withoutTemporal(process.env) }));
  }

  get workflowId(): string {
    return `cluster/${this.cluster}`;
  }

  get uiUrl(): string {
    return this.engine.server?.uiUrl ?? '';
  }

  /** Starts the next run. */
  async again(): Promise<void> {
    await kubewright(['install', this.clusterFile, '--detach'], this.stateDir);
  }

  /** Waits for a snapshot of which something is true; the test's own time limit bounds it. */
  async until(holds: (snapshot: RunSnapshot) => boolean): Promise<RunSnapshot> {
    for (;;) {
      const snapshot = await describeRun(this.engine, this.cluster);
      if (holds(snapshot)) return snapshot;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /**
   * Makes the next try of a pending activity an hour away. Kubewright's own pauses are a few seconds long, which is over before a person
   * finds the button: nobody could tell whether it was the button that did it.
   *
   * @returns when the next try would be, in milliseconds since the epoch
   */
  async postpone(activityId: string): Promise<number> {
    const { runId } = await describeRun(this.engine, this.cluster);
    const wait = { seconds: Long.fromNumber(LONG_WAIT_S) };
    await this.engine.client.workflowService.updateActivityOptions({
      namespace: this.engine.settings.namespace,
      execution: { workflowId: this.workflowId, runId },
      id: activityId,
      activityOptions: { retryPolicy: { initialInterval: wait, maximumInterval: wait } },
      updateMask: { paths: ['retry_policy.initial_interval', 'retry_policy.maximum_interval'] },
    });
    const nextOf = (snapshot: RunSnapshot): number => snapshot.activities[activityId]?.nextAttemptAt ?? 0;
    return nextOf(await this.until((snapshot) => nextOf(snapshot) > Date.now() + (LONG_WAIT_S / 2) * 1000));
  }

  /** Lets go of the server, and stops it and the worker. */
  async stop(): Promise<void> {
    await this.engine.close();
    await kubewright(['server', 'stop'], this.stateDir);
  }
}

async function kubewright(args: string[], stateDir: string): Promise<void> {
  await execa(process.execPath, [PROGRAM, ...args, '--state-dir', stateDir], {
    env: withoutTemporal(process.env),
    extendEnv: false,
    stdin: 'ignore',
  });
}

/** The embedded server is what is meant, whatever the environment of the tests says. */
function withoutTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

export function stepOf(snapshot: RunSnapshot, id: string): StepProgress | undefined {
  return snapshot.progress.steps.find((step) => step.id === id);
}

/** Ids of the steps that ended with an outcome. */
export function stepsWith(snapshot: RunSnapshot, outcome: 'changed' | 'unchanged'): string[] {
  return snapshot.progress.steps.filter((step) => step.outcome === outcome).map((step) => step.id);
}
