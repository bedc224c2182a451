import { setTimeout as pause } from 'node:timers/promises';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { isAlive, killHard, serverRecord, workerRecord } from './processes.js';
import type { Scene } from './scene.js';

/** From where recovery is measured. */
export type Since = 'worker' | 'server' | 'network' | 'host' | 'terminal';

/** What came back, and when: milliseconds since the epoch. */
export interface Back {
  since: Since;
  at: number;
}

/** One way to interrupt an install. */
export interface Fault {
  name: string;
  /** Whether it is about one host; recovery is then looked for on that host alone. */
  onHost: boolean;
  /** Whether it ends everything that runs on that host. */
  cutsPower?: boolean;
  /** Strikes, and returns when what was taken away is back by itself, or was given back as power and network are. */
  strike(scene: Scene, host: LabHost): Promise<Back>;
}

/** How long the network is cut, and how long a host is without power. */
const CUT_MS = 60_000;
const DARK_MS = 3_000;
/** Bound on what has to come back by itself. Far above what is measured: a bound for what hangs. */
const BACK_LIMIT_MS = 60_000;

/** The faults in the order in which they rotate. */
export const FAULTS: readonly Fault[] = [
  { name: 'kill -9 of the worker', onHost: false, strike: killWorker },
  { name: 'SSH connections cut', onHost: true, strike: cutSsh },
  { name: 'kill -9 of the Temporal server', onHost: false, strike: killServer },
  { name: 'host powered off and on', onHost: true, cutsPower: true, strike: cyclePower },
  { name: "the client's terminal gone", onHost: false, strike: loseTerminal },
  { name: 'kill -9 of worker and server', onHost: false, strike: killBoth },
  { name: 'network cut for 60 s', onHost: true, strike: cutNetwork },
];

async function killWorker(scene: Scene): Promise<Back> {
  const worker = await workerRecord(scene.state);
  killHard(worker?.pid);
  return await workerBack(scene, worker?.pid);
}

async function killServer(scene: Scene): Promise<Back> {
  const server = await serverRecord(scene.state);
  killHard(server?.pid);
  return await serverBack(scene, server?.pid);
}

async function killBoth(scene: Scene): Promise<Back> {
  const [worker, server] = [await workerRecord(scene.state), await serverRecord(scene.state)];
  killHard(worker?.pid);
  killHard(server?.pid);
  await serverBack(scene, server?.pid);
  return await workerBack(scene, worker?.pid);
}

/** The program brings it back by itself; a person would see the new process. */
async function workerBack(scene: Scene, killed: number | undefined): Promise<Back> {
  const back = await until(async () => {
    const now = await workerRecord(scene.state);
    return now !== undefined && now.pid !== killed && isAlive(now.pid);
  }, BACK_LIMIT_MS);
  if (!back) throw new Error(`no new worker ${BACK_LIMIT_MS / 1_000} s after the kill of process ${killed}`);
  return { since: 'worker', at: Date.now() };
}

async function serverBack(scene: Scene, killed: number | undefined): Promise<Back> {
  const back = await until(async () => {
    const now = await serverRecord(scene.state);
    return now !== undefined && now.pid !== killed && (await scene.history.pending()) !== undefined;
  }, BACK_LIMIT_MS);
  if (!back) throw new Error(`no new server ${BACK_LIMIT_MS / 1_000} s after the kill of process ${killed}`);
  return { since: 'server', at: Date.now() };
}

/** Ends each SSH session on the host, not sshd itself: what a stateful firewall does that forgets its connections. */
async function cutSsh(_scene: Scene, host: LabHost): Promise<Back> {
  await host.exec(`listener=$(cat /run/sshd.pid)
    for session in $(ps -o pid= --ppid "$listener"); do kill -9 $(ps -o pid= --ppid "$session") "$session" || :; done`);
  return { since: 'network', at: Date.now() };
}

async function cyclePower(_scene: Scene, host: LabHost): Promise<Back> {
  await host.powerOff();
  await pause(DARK_MS);
  await host.powerOn();
  return { since: 'host', at: Date.now() };
}

async function cutNetwork(_scene: Scene, host: LabHost): Promise<Back> {
  await host.cut();
  await pause(CUT_MS);
  await host.heal();
  return { since: 'network', at: Date.now() };
}

/** Nobody comes back for a while: the install has to go on alone. The person's next `install` is the driver's. */
async function loseTerminal(scene: Scene): Promise<Back> {
  await scene.client.loseTerminal();
  return { since: 'terminal', at: Date.now() };
}
