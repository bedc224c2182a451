import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Pause before the first restart, doubled for the next: as a container engine does it. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** After running this long a process starts with the first pause again. */
const SETTLED_MS = 10_000;

export interface Program {
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd?: string;
  /** Runs it as this user and group; default: whoever runs the test. */
  user?: string;
  /** Its output is added to this file. */
  log: string;
}

/**
 * A process that is started again when it ends by itself, as `restart: unless-stopped` says. It dies with this process
 * (setpriv sets the parent-death signal), so that a killed test leaves nothing.
 */
export class Supervised {
  #child: ChildProcess | undefined;
  #wanted = false;
  #pause = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  /** How often it was started. */
  starts = 0;

  constructor(
    private readonly program: Program,
    private readonly restart: string,
  ) {}

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#wanted = true;
    this.#spawn();
  }

  /** `kill -9`, in the middle of whatever it does; returns when it is gone. What happens next is its restart policy. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it in order and leaves it so; what has not ended after half a minute is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    const tooLong = setTimeout(() => this.#child?.kill('SIGKILL'), 30_000);
    await this.#end(signal);
    clearTimeout(tooLong);
  }

  /** The end of its log, for whoever reads a failure. */
  async lastWords(): Promise<string> {
    return (await readFile(this.program.log, 'utf8').catch(() => '')).slice(-4_000);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await gone;
  }

  #spawn(): void {
    const { command, args, env, cwd, user, log } = this.program;
    const as = user === undefined ? [] : ['--reuid', user, '--regid', user, '--init-groups'];
    const output = openSync(log, 'a');
    const child = spawn('setpriv', [...as, '--pdeathsig', 'KILL', '--', command, ...args], {
      env,
      cwd,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const began = Date.now();
    this.starts += 1;
    this.#child = child;
    child.once('exit', () => {
      this.#child = undefined;
      if (!this.#wanted || this.restart !== 'unless-stopped') return;
      if (Date.now() - began > SETTLED_MS) this.#pause = FIRST_PAUSE_MS;
      this.#timer = setTimeout(() => this.#spawn(), this.#pause);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    });
  }
}
