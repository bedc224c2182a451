import { setTimeout as pause } from 'node:timers/promises';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import type { Installed } from '../lab/support/installed.js';
import { FAULTS, type Fault } from './faults.js';
import { brokenPromises, type CommandCount, changesOf, countCommands, type Identity, identityOf } from './promises.js';
import { seeded } from './random.js';
import { nextCommand, type Recovery } from './recovery.js';
import { Scene } from './scene.js';

/** Which moments of an install are struck, and with what. */
export interface Chaos {
  /** `boundaries`: the moment in which a step begins. `inside`: some way into one of the long steps. */
  moments: 'boundaries' | 'inside';
  /** Install k: boundary i meets fault (i + k) mod n, so that n installs bring every fault to every boundary. */
  rotation: number;
  /** Decides how far into a long step its fault strikes. */
  seed: number;
  /** Steps that may be struck; all by default. */
  only?: (step: string) => boolean;
  log?: (line: string) => void;
}

/** One interruption, and what came of it. */
export interface Interruption {
  step: string;
  fault: string;
  /** Seconds into the step; 0 at its boundary. */
  into: number;
  /** From which moment `recovery` counts. */
  since: string;
  /** Seconds from the strike until what was lost was back. */
  away: number;
  recovery: Recovery;
  /** What of the cluster's identity had changed afterwards; empty as it must be. */
  changed: string[];
}

export interface Report {
  interruptions: Interruption[];
  /** Steps that began while a fault was on: their boundary was struck by that one. */
  merged: number;
  /** Exit code of the last `kubewright install`. */
  exitCode: number | undefined;
  /** What the install left that it must not; empty as it must be. */
  broken: string[];
  counts: CommandCount[];
  seconds: { install: number; checks: number };
  /** End of the terminal's transcript, for whoever reads a failure. */
  lastLines: string;
}

/** Steps whose inside is struck, with about how long each takes on a quiet machine, in seconds: a fault strikes within. */
const LONG_STEPS: [RegExp, number][] = [
  [/\/init$/, 20],
  [/^cp-\d+\/join$/, 16],
  [/^w-\d+\/join$/, 6],
  [/\/images$/, 10],
  [/\/packages$/, 12],
];

const NOT_ENDED = 'the install did not end well';

/** Bound on the rest of an install after its last interruption, in ms. */
const END_LIMIT_MS = 600_000;

/**
 * Runs `kubewright install` on a blank lab and interrupts it again and again, one fault at a time; then looks at the
 * cluster from outside. No person helps: the only command typed again is that of a terminal that was taken away.
 *
 * @throws Error when what was taken away does not come back, or nothing runs within minutes afterwards
 */
export async function interruptedInstall(cluster: Installed, chaos: Chaos): Promise<Report> {
  const began = Date.now();
  const scene = new Scene(cluster);
  try {
    const driver = new Driver(scene, chaos);
    await driver.run();
    const exitCode = await driver.lastExit();
    const install = Date.now() - began;
    const broken = exitCode === 0 ? await brokenPromises(cluster, driver.identity, driver.lostPower) : [NOT_ENDED];
    const counts = await countCommands(cluster);
    const seconds = { install: install / 1_000, checks: (Date.now() - began - install) / 1_000 };
    const lastLines = await scene.client.lastLines();
    return { interruptions: driver.interruptions, merged: driver.merged, exitCode, broken, counts, seconds, lastLines };
  } finally {
    await scene.close();
  }
}

class Driver {
  readonly interruptions: Interruption[] = [];
  merged = 0;
  readonly lostPower = new Set<string>();
  identity: Identity = { authorities: {}, cluster: undefined };
  readonly #random: () => number;
  #seen = 0;

  constructor(
    private readonly scene: Scene,
    private readonly chaos: Chaos,
  ) {
    this.#random = seeded(chaos.seed);
  }

  async run(): Promise<void> {
    for (;;) {
      const step = await this.#nextMoment();
      if (step === undefined) return;
      if (!(this.chaos.only?.(step) ?? true)) continue;
      const into = this.chaos.moments === 'inside' ? await this.#goInto(step) : 0;
      if (into !== undefined) await this.#interrupt(step, into);
    }
  }

  /** How the last `install` ended. */
  async lastExit(): Promise<number | undefined> {
    const code = await Promise.race([this.scene.client.ended, pause(END_LIMIT_MS, 'late' as const, { ref: false })]);
    return code === 'late' ? undefined : code;
  }

  /**
   * The next step that begins from now on; undefined when the install is over. Of several that have begun in the same
   * moment the first is struck, the others are merged: they meet its fault, too.
   */
  async #nextMoment(): Promise<string | undefined> {
    const { history } = this.scene;
    const found = await until(
      async () => {
        await history.refresh();
        if (history.closed !== undefined || !this.scene.client.runs) return 'over' as const;
        const step = history.order[this.#seen];
        if (step === undefined) return undefined;
        this.#seen += 1;
        return { step };
      },
      END_LIMIT_MS,
      50,
    );
    if (found === undefined) throw new Error(`no step began any more\n${await this.scene.client.lastLines()}`);
    return found === 'over' ? undefined : found.step;
  }

  /** Waits until some way into a long step; undefined when it is none, or has ended by then. */
  async #goInto(step: string): Promise<number | undefined> {
    const usual = LONG_STEPS.find(([pattern]) => pattern.test(step))?.[1];
    if (usual === undefined) return undefined;
    const into = usual * (0.1 + 0.8 * this.#random());
    const { history } = this.scene;
    const ended = await until(
      async () => {
        await history.refresh();
        return history.steps.get(step)?.completedAt !== undefined;
      },
      into * 1_000,
      100,
    );
    return ended ? undefined : into;
  }

  async #interrupt(step: string, into: number): Promise<void> {
    const { scene, chaos } = this;
    this.identity = known(this.identity, await identityOf(scene.cluster));
    const host = this.#hostOf(step);
    const fault = this.#faultFor(step);
    if (fault.cutsPower) this.lostPower.add(host.name);
    const struck = Date.now();
    const back = await fault.strike(scene, host);
    const recovery = await nextCommand(scene, fault, host, back);
    if (!scene.client.runs && back.since === 'terminal') scene.comeBack();
    const changed = changesOf(this.identity, await identityOf(scene.cluster));
    const away = (back.at - struck) / 1_000;
    const interruption = { step, fault: fault.name, into, since: back.since, away, recovery, changed };
    this.interruptions.push(interruption);
    chaos.log?.(lineOf(interruption));
    await scene.history.refresh();
    this.merged += scene.history.order.length - this.#seen;
    this.#seen = scene.history.order.length;
  }

  /** (i + k) mod n: at boundaries i is the step's place in the plan's order of beginning, inside it counts up. */
  #faultFor(step: string): Fault {
    const { moments, rotation } = this.chaos;
    const i = moments === 'inside' ? this.interruptions.length : this.scene.history.order.indexOf(step);
    return FAULTS[(i + rotation) % FAULTS.length] as Fault;
  }

  /** The step's host; for a step of the whole cluster the control planes take turns. */
  #hostOf(step: string): LabHost {
    const { lab } = this.scene.cluster;
    const own = lab.hosts.find(({ name }) => step.startsWith(`${name}/`));
    if (own !== undefined) return own;
    const controlPlanes = this.scene.cluster.controlPlanes();
    return controlPlanes[this.interruptions.length % controlPlanes.length] as LabHost;
  }
}

/** What was known first stays: the cluster's identity is compared with its beginning. */
function known(first: Identity, now: Identity): Identity {
  return { authorities: { ...now.authorities, ...first.authorities }, cluster: first.cluster ?? now.cluster };
}

function lineOf({ step, fault, into, since, away, recovery, changed }: Interruption): string {
  const where = into === 0 ? `at ${step}` : `${into.toFixed(1)} s into ${step}`;
  const how =
    recovery.kind === 'running'
      ? `next command ${recovery.seconds.toFixed(1)} s after the ${since}`
      : 'nothing waited for it';
  return `${where}: ${fault}; back after ${away.toFixed(1)} s, ${how}${changed.length > 0 ? ` BUT ${changed.join('; ')}` : ''}`;
}
