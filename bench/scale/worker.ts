import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { PROGRAM } from '../shell.js';

/** What a worker process was seen to need, up to now. */
export interface WorkerFigures {
  /** Resident memory at most, MiB. */
  memory: number;
  /** Event-loop delay, ms: the 99th percentile of the worst five seconds. */
  delay: number;
}

const SAMPLE_MS = 2_000;

/** `kubewright worker --metrics`, as somebody runs it beside a Temporal server, watched from outside. */
export class BenchWorker {
  readonly figures: WorkerFigures = { memory: 0, delay: 0 };
  readonly #timer: NodeJS.Timeout;

  private constructor(
    private readonly child: ChildProcess,
    private readonly metrics: string,
  ) {
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
    // A bench that is interrupted leaves none behind.
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => {
      clearInterval(this.#timer);
      process.off('exit', kill);
    });
  }

  static async start(stateDir: string): Promise<BenchWorker> {
    const address = `127.0.0.1:${await freePort()}`;
    const args = [PROGRAM, '--state-dir', stateDir, 'worker', '--metrics', address];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const lines: string[] = [];
    child.stderr?.on('data', (chunk: Buffer) => {
      lines.push(chunk.toString('utf8'));
      if (lines.length > 200) lines.shift();
    });
    const worker = new BenchWorker(child, `http://${address}/metrics`);
    while (!lines.join('').includes('The worker is ready')) {
      if (child.exitCode !== null) throw new Error(`the worker has ended:\n${lines.join('')}`);
      await pause(100);
    }
    return worker;
  }

  /** How many tries of steps have ended well in it. */
  async stepsDone(): Promise<number> {
    const samples = (await this.#samples()).filter(([name]) =>
      /^kubewright_steps_total\{.*"(changed|unchanged)"/.test(name),
    );
    return samples.reduce((sum, [, value]) => sum + value, 0);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** As Ctrl-C does it. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await this.#sample();
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  async #sample(): Promise<void> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8').catch(() => '');
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
    this.figures.memory = Math.max(this.figures.memory, peak);
    const samples = await this.#samples().catch(() => []);
    const delays = samples.filter(([name]) => name.startsWith('kubewright_event_loop_delay_p99_seconds'));
    for (const [, seconds] of delays) this.figures.delay = Math.max(this.figures.delay, seconds * 1_000);
  }

  /** Series with their values, in Prometheus' text form. */
  async #samples(): Promise<[string, number][]> {
    const response = await fetch(this.metrics, { signal: AbortSignal.timeout(5_000) });
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
