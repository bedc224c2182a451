import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import type { Back, Fault } from './faults.js';
import type { PendingStep } from './history.js';
import type { Scene } from './scene.js';

/** Bound on a recovery, in ms; what is measured is printed, this only ends what hangs. */
const LIMIT_MS = 180_000;
/** Between two looks, in ms: the resolution of what is measured. */
const LOOK_MS = 100;

/** How an interruption ended. `nothing-waited`: no step needed what had been taken away. */
export interface Recovery {
  kind: 'running' | 'nothing-waited';
  /** Seconds from the moment something was back to the next running command. */
  seconds: number;
}

/**
 * Waits for the next command to run after a fault.
 *
 * After the loss of a worker that is a step which a worker took since, or one that ended since. The loss of the server or
 * of the terminal takes no command with it: there it is a step whose heartbeat came in since. After trouble with one host it is a step of that host which a worker has, and an SSH connection on which the
 * host heard from the worker since: a connection that survived counts, for then the command was never lost.
 *
 * @throws Error when nothing ran within three minutes
 */
export async function nextCommand(scene: Scene, fault: Fault, host: LabHost, back: Back): Promise<Recovery> {
  const kind = await until(() => look(scene, fault, host, back), LIMIT_MS, LOOK_MS);
  if (kind === undefined) {
    throw new Error(`nothing ran within ${LIMIT_MS / 1_000} s after: ${fault.name}\n${await scene.client.lastLines()}`);
  }
  return { kind, seconds: (Date.now() - back.at) / 1_000 };
}

async function look(scene: Scene, fault: Fault, host: LabHost, back: Back): Promise<Recovery['kind'] | undefined> {
  await scene.history.refresh();
  if (scene.history.closed !== undefined) return 'nothing-waited';
  const pending = await scene.history.pending();
  if (pending === undefined) return undefined;
  if (fault.onHost) {
    const onHost = pending.filter(({ id }) => id.startsWith(`${host.name}/`));
    if (onHost.length === 0) return 'nothing-waited';
    if (!onHost.some(({ started }) => started)) return undefined;
    return (await heardSince(host, back.at)) ? 'running' : undefined;
  }
  const ended = [...scene.history.steps.values()].some(({ completedAt = 0 }) => completedAt > back.at);
  const lives = ({ started, lastStartedAt, lastHeartbeatAt }: PendingStep): boolean =>
    started && (back.since === 'worker' ? lastStartedAt >= back.at - LOOK_MS : lastHeartbeatAt > back.at);
  return ended || pending.some(lives) ? 'running' : undefined;
}

/**
 * Whether somebody is logged in who said something since, by the kernel's own account (`lastrcv`). A connection alone is
 * not enough: whoever waits for a host to come up knocks at its port, too.
 */
async function heardSince(host: LabHost, at: number): Promise<boolean> {
  const asked = Date.now();
  const script = `pgrep -f '^sshd: [^ ]+@notty' >/dev/null && ss -Htino state established '( sport = :22 )'`;
  const { stdout, exitCode } = await host.exec(script, { allowFailure: true });
  if (exitCode !== 0) return false;
  return [...stdout.matchAll(/\blastrcv:(\d+)/g)].some(([, ago]) => asked - Number(ago) > at);
}
