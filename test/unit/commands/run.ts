import { Readable, Writable } from 'node:stream';
import type { Shell } from '../../../src/commands/support/shell.js';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  /** The NDJSON stream. */
  objects: Record<string, unknown>[];
}

class Collector extends Writable {
  text = '';
  onText: ((text: string) => void) | undefined;
  isTTY = false;
  columns = 100;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    this.onText?.(chunk.toString('utf8'));
    done();
  }
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  tty?: boolean;
  /** What comes from standard input. */
  stdin?: string;
  /** Standard input itself, for a test that writes to it meanwhile. */
  input?: Readable;
  /** Called with each piece of standard error. */
  onError?: (text: string) => void;
}

/** Runs one command line in this process, as the program would. */
export async function runCommand(argv: string[], options: RunOptions = {}): Promise<Ran> {
  const { env = {}, tty = false, stdin = '', input = Readable.from([Buffer.from(stdin)]) } = options;
  const stdout = new Collector();
  const stderr = new Collector();
  for (const stream of [stdout, stderr, input]) Object.assign(stream, { isTTY: tty });
  stderr.onText = options.onError;
  const shell: Shell = { stdin: input, stdout, stderr, env: { LANG: 'C.UTF-8', ...env }, exitCode: 0 };
  // Imported here and not above, so that a test may say first what must not be loaded.
  const { main } = await import('../../../src/client.js');
  const code = await main(argv, shell);
  const lines = stdout.text.split('\n').filter((line) => line.startsWith('{"'));
  const objects = lines.map((line) => JSON.parse(line));
  if (argv.includes('--json') && objects.length > 0) (await import('./json-checks.js')).expectDocumented(argv, objects);
  return { code, stdout: stdout.text, stderr: stderr.text, objects };
}
