import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { decide, describeRun, type Engine } from '../../src/engine/index.js';
import { type CheckTimes, measureChecks } from '../checks.js';
import { median, PROGRAM } from '../shell.js';
import { type FakeClusterFiles, makeFakeCluster } from './fake-hosts/cluster-file.js';
import { type HistorySize, largest, measureHistory } from './histories.js';
import { BenchWorker, type WorkerFigures } from './worker.js';

/** Where all runs of one bench happen. */
export interface Bench {
  engine: Engine;
  stateDir: string;
}

/** What an install of so many hosts took. */
export interface InstallFigures extends WorkerFigures {
  seconds: number;
  root: HistorySize;
  groups: HistorySize | undefined;
  /** `kubewright status` in the middle, seconds: median of three. */
  status: number;
  /** Health checks of the installed cluster. */
  checks: CheckTimes;
}

const CONTROL_PLANES = 3;

/** How often a running install is looked at, or seldomer: looks take a tenth of the worker's time at most. */
const LOOK_MS = 500;
const PAUSE_SHARE = 9;

interface Scene extends FakeClusterFiles {
  name: string;
  worker: BenchWorker;
}

/** Makes fake hosts and a worker for one run, and takes them away afterwards. @throws Error when the fakes did not know something */
async function onFakes<T>(
  { stateDir }: Bench,
  story: string,
  hosts: number,
  silent: number,
  use: (scene: Scene) => Promise<T>,
): Promise<T> {
  const name = `scale-${hosts}-${story}`;
  const directory = join(stateDir, name);
  const workers = hosts - CONTROL_PLANES;
  const made = await makeFakeCluster({ directory, name, controlPlanes: CONTROL_PLANES, workers, silent });
  const worker = await BenchWorker.start(stateDir);
  try {
    const result = await use({ ...made, name, worker });
    const unknown = await made.hosts.unknown();
    if (unknown.length > 0) throw new Error(`the fake hosts did not know ${unknown.length} scripts:\n${unknown[0]}`);
    return result;
  } finally {
    await worker.stop();
    await made.hosts.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** `kubewright …` as a person has it; its output is not that of a terminal. */
async function kubewright({ stateDir }: Bench, ...args: string[]) {
  const began = performance.now();
  const options = { reject: false, stdin: 'ignore', all: true } as const;
  const { exitCode, all } = await execa(process.execPath, [PROGRAM, '--state-dir', stateDir, ...args], options);
  return { exitCode, output: all ?? '', seconds: (performance.now() - began) / 1_000 };
}

function install(bench: Bench, { file }: FakeClusterFiles, ...options: string[]) {
  return kubewright(bench, 'install', file, '--no-worker', ...options);
}

function expectExit(code: number, { exitCode, output }: { exitCode?: number; output: string }): void {
  if (exitCode !== code) throw new Error(`exit code ${exitCode}, not ${code}:\n${output.slice(-3_000)}`);
}

/** Installs so many hosts, and measures. */
export function measureInstall(bench: Bench, hosts: number): Promise<InstallFigures> {
  return onFakes(bench, 'install', hosts, 0, async (scene) => {
    const running = install(bench, scene);
    await untilEnded(bench, scene.name, 0.5);
    const looks: number[] = [];
    for (let look = 0; look < 3; look++) looks.push((await kubewright(bench, 'status', scene.name)).seconds);
    const ended = await running;
    expectExit(0, ended);
    const { workflowId, progress } = await describeRun(bench.engine, scene.name);
    const groups = await Promise.all(
      (progress.groups ?? []).map((group) => measureHistory(bench.engine, group.workflowId)),
    );
    const checks = await measureChecks(['--state-dir', bench.stateDir], scene.file, '--no-worker');
    await scene.worker.stop();
    return {
      checks,
      seconds: ended.seconds,
      status: median(looks),
      root: await measureHistory(bench.engine, workflowId),
      groups: largest(groups),
      ...scene.worker.figures,
    };
  });
}

/** Waits until this share of the steps has ended. */
async function untilEnded({ engine }: Bench, name: string, share: number): Promise<void> {
  for (;;) {
    const began = performance.now();
    const steps = await describeRun(engine, name).then(
      ({ progress }) => progress.steps,
      () => [],
    );
    const ended = steps.filter(({ state }) => state === 'done').length;
    if (steps.length > 0 && ended >= steps.length * share) return;
    await pause(Math.max(LOOK_MS, PAUSE_SHARE * (performance.now() - began)));
  }
}

/** Kills the worker in the middle and starts another one at once. Seconds from the kill to the first step that has ended since. */
export function measureRecovery(bench: Bench, hosts: number): Promise<number> {
  return onFakes(bench, 'killed', hosts, 0, async (scene) => {
    const running = install(bench, scene);
    await untilEnded(bench, scene.name, 0.5);
    await scene.worker.kill();
    const killedAt = performance.now();
    const next = await BenchWorker.start(bench.stateDir);
    try {
      while ((await next.stepsDone()) === 0) await pause(LOOK_MS / 2);
      const seconds = (performance.now() - killedAt) / 1_000;
      expectExit(0, await running);
      return seconds;
    } finally {
      await next.stop();
    }
  });
}

/** What a person sees when every host meets the same fault. */
export interface FaultFigures {
  blocked: number;
  /** Whether the run goes on: the server has not ended it. */
  isAlive: boolean;
  statusLines: number;
}

const FAULT = "E: Failed to fetch http://mirror.example.org/debian  Could not resolve 'mirror.example.org'\n";

/** Lets every installation of packages fail, and looks at what blocks; the run is aborted then. */
export function measureFault(bench: Bench, hosts: number): Promise<FaultFigures> {
  return onFakes(bench, 'fault', hosts, 0, async (scene) => {
    scene.hosts.setFault(FAULT);
    // 3: blocked, and nothing else can run.
    expectExit(3, await install(bench, scene, '--no-wait'));
    const { progress, status } = await describeRun(bench.engine, scene.name);
    const { output } = await kubewright(bench, 'status', scene.name);
    await decide(bench.engine, scene.name, 'abort', { reason: 'the bench has seen enough' });
    const statusLines = output.trimEnd().split('\n').length;
    return { blocked: progress.blocked.length, isAlive: status === 'running', statusLines };
  });
}

/** What becomes of a run some of whose hosts never answer. */
export interface SilentFigures {
  seconds: number;
  installed: number;
  /** How many of those that never answered are named at the end. */
  named: number;
}

/** Hosts that never say a word, left out by themselves. */
export function measureSilent(bench: Bench, hosts: number, silent: number): Promise<SilentFigures> {
  return onFakes(bench, 'silent', hosts, silent, async (scene) => {
    const ended = await install(bench, scene, '--leave-out-unreachable', '--patience', '30s');
    // 5: installed, but for these.
    expectExit(5, ended);
    const { progress } = await describeRun(bench.engine, scene.name);
    const joined = progress.steps.filter(({ id, state }) => /\/(join|init)$/.test(id) && state === 'done');
    const named = scene.silent.filter((name) => ended.output.includes(name)).length;
    return { seconds: ended.seconds, installed: joined.length, named };
  });
}
