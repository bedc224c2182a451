import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { causeOfDeath, diagnose, tooSlow } from './diagnosis.js';
import type { Keeper } from './keeper.js';
import { agentOf, type Evaluated } from './options.js';
import { signalGroup, start } from './program.js';
import type { Hop } from './way.js';

/** How often the control socket is looked for. `ssh` makes it at the very moment from which it takes channels. */
const LOOK_MS = 15;

/** On top of the time to connect: key exchange and login, on a host of two cores that is busy. */
const LOGIN_SECONDS = 20;

/** A `ssh` that does not end when it is asked is killed after this long. */
const LAST_WORD_MS = 500;

/** Of what `ssh` says only the end is kept; with `LogLevel DEBUG` it says a line for each channel. */
const MOST_WORDS = 65_536;

export interface MasterFacts {
  hop: Hop;
  host: string;
  at: Evaluated;
  via: string | undefined;
  args: string[];
  /** Path of the control socket. */
  control: string;
  env: NodeJS.ProcessEnv;
  /** What the bastion's own connection has said since this one began: only there stands why it would not forward. */
  heardBefore: () => string;
  /** Ends a start that nobody waits for any more. */
  dismissal: AbortSignal;
}

/** One `ssh -M -N`: an authenticated connection that other `ssh` use over its control socket. */
export class Master {
  readonly control: string;
  /** Settles when it is gone. */
  readonly gone: Promise<void>;
  /** What it died of, once it did. */
  lost: string | undefined;
  #words = '';
  #heard = 0;
  #dismissed = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly facts: MasterFacts,
  ) {
    this.control = facts.control;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#words = (this.#words + chunk.toString('utf8')).slice(-MOST_WORDS);
      this.#heard += chunk.length;
    });
    // `close` and not `exit`: by then all its words are there. A program of its configuration may keep the pipe open.
    this.gone = new Promise((resolve) => {
      const done = (): void => {
        this.lost ??= this.#dismissed ? 'closed by Kubewright' : causeOfDeath(this.#words, child.signalCode);
        resolve();
      };
      child.once('close', done);
      child.once('exit', () => setTimeout(done, 200).unref());
    });
  }

  /**
   * Resolves once it takes channels.
   * @throws KubewrightError KW2xx: why it does not
   */
  static async start(facts: MasterFacts, keeper: Keeper): Promise<Master> {
    const child = await start('ssh', facts.args, {
      env: facts.env,
      host: facts.host,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    keeper.keep(child);
    const master = new Master(child, facts);
    await master.#stands();
    return master;
  }

  /** Begins to listen: what it says from now on, without what only the debug level brings. */
  listen(): () => string {
    const from = this.#heard;
    return () => {
      const fresh = this.#words.slice(Math.max(0, this.#words.length - (this.#heard - from)));
      return this.#heard === from ? '' : fresh.replace(/^debug.*\n/gm, '');
    };
  }

  /** Ends it, and every channel on it. */
  async stop(): Promise<void> {
    this.#dismissed = true;
    if (this.lost !== undefined) return;
    signalGroup(this.child, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(this.child, 'SIGKILL'), LAST_WORD_MS);
    await this.gone;
    clearTimeout(timer);
  }

  async #stands(): Promise<void> {
    const { at, dismissal } = this.facts;
    const limit = performance.now() + (at.connectSeconds + LOGIN_SECONDS) * 1000;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (!existsSync(this.control) && !dismissal.aborted && performance.now() < limit) return;
        clearInterval(timer);
        resolve();
      }, LOOK_MS);
      void this.gone.then(() => {
        clearInterval(timer);
        resolve();
      });
    });
    if (this.lost === undefined && existsSync(this.control) && !dismissal.aborted) return;
    const failed = this.lost !== undefined ? diagnose : tooSlow;
    await this.stop();
    throw dismissal.aborted ? dismissal.reason : failed(this.#attempt());
  }

  #attempt() {
    const { hop, host, at, via, env } = this.facts;
    return { hop, host, at, via, agent: agentOf(at, env), words: `${this.facts.heardBefore()}${this.#words}` };
  }
}
