import type { WriteStream } from 'node:tty';

type OutStream = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;

/** Exit codes, for scripts. They are part of the interface: README, "Exit codes". */
export const EXIT = { ok: 0, failed: 1, input: 2, blocked: 3, timeout: 4, incomplete: 5, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The world outside of a command: given in, so that tests run commands without a process of their own. */
export interface Shell {
  /** For `-` in place of a file. */
  stdin: NodeJS.ReadableStream;
  stdout: OutStream;
  stderr: OutStream;
  env: NodeJS.ProcessEnv;
  /** What the command that ran asks the process to end with. */
  exitCode: ExitCode;
}

export function processShell(): Shell {
  return {
    // Merely asking Node for standard input opens it; a command that does not read it leaves it alone.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    exitCode: EXIT.ok,
  };
}
