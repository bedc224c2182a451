import { spawn } from 'node:child_process';

/** How a program has ended. */
export interface Ended {
  /** null where a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The end of what it wrote to stderr. */
  stderr: string;
}

export interface ProgramOptions {
  input: string;
  env: NodeJS.ProcessEnv;
  /** Ends it, and all that it has started. */
  signal: AbortSignal;
}

/** Starts a program, and waits for its end. Rejects where it cannot be started. */
export type RunProgram = (argv: readonly string[], options: ProgramOptions) => Promise<Ended>;

/** Between the friendly and the other way to end. */
const GRACE_MS = 2_000;

/** For what stands in the pipe when the program ends. */
const LAST_WORDS_MS = 500;

/** Characters of stderr. */
const KEPT = 2_000;

/**
 * In a session of its own, so that what it has started ends with it, and waits for the program alone: one that leaves something in the
 * background, with its output open, is done when it says so.
 */
export const runProgram: RunProgram = ([program = '', ...args], { input, env, signal }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: '/', env, detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
    let stderr = '';
    let last: NodeJS.Timeout | undefined;
    let lastWords: NodeJS.Timeout | undefined;
    const kill = (how: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, how);
      } catch {
        // It has ended in this very moment.
      }
    };
    const end = (): void => {
      kill('SIGTERM');
      last = setTimeout(() => kill('SIGKILL'), GRACE_MS);
    };
    const clear = (): void => {
      clearTimeout(last);
      clearTimeout(lastWords);
      signal.removeEventListener('abort', end);
      child.stderr.destroy();
    };
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = `${stderr}${text}`.slice(-KEPT);
    });
    // One that does not read its input has closed it: that is its own affair.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', (error) => {
      clear();
      reject(error);
    });
    child.once('exit', (code, how) => {
      const finish = (): void => {
        clear();
        resolve({ code, signal: how, stderr });
      };
      // What it wrote in its last moment is read first; what it has left in the background may hold the pipe open for ever.
      lastWords = setTimeout(finish, LAST_WORDS_MS);
      child.once('close', finish);
    });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
