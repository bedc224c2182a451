import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { PROGRAM } from '../lab/support/root.js';

/** `kubewright install` as a person runs it: on a terminal of its own, which can be taken away. */
export class TerminalClient {
  readonly #terminal: ChildProcess;
  /** Exit code once it has ended; undefined for one whose terminal was taken away. */
  readonly ended: Promise<number | undefined>;

  /** @param transcript file that everything on the terminal is added to */
  constructor(
    state: string,
    clusterFile: string,
    private readonly transcript: string,
  ) {
    const words = [process.execPath, PROGRAM, '--state-dir', state, 'install', '--no-wait', clusterFile];
    const command = words.map((word) => `'${word}'`).join(' ');
    // util-linux's script holds the terminal's other end. --no-wait: a parked step is a failure here, not a question.
    this.#terminal = spawn('script', ['--quiet', '--flush', '--append', '--return', '--command', command, transcript], {
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, TERM: 'xterm', COLUMNS: '120', LINES: '40' },
    });
    this.ended = new Promise((resolve, reject) => {
      this.#terminal.once('error', reject);
      this.#terminal.once('close', (code) => resolve(code ?? undefined));
    });
  }

  /** The terminal is gone, as when its window is closed or the line drops: the kernel hangs up on whoever is on it. */
  async loseTerminal(): Promise<void> {
    this.#terminal.kill('SIGKILL');
    await this.ended;
  }

  /** Whether it still runs. */
  get runs(): boolean {
    return this.#terminal.exitCode === null && this.#terminal.signalCode === null;
  }

  /** What was last to be read, without the colours. */
  async lastLines(count = 40): Promise<string> {
    const text = await readFile(this.transcript, 'utf8').catch(() => '');
    return stripVTControlCharacters(text).split('\n').slice(-count).join('\n');
  }
}
