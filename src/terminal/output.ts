import type { WriteStream } from 'node:tty';
import { errorEvent, errorLines } from './errors.js';
import type { CommonFields, JsonObject } from './json/index.js';
import { createTheme, type Theme, unicodeIn } from './theme.js';

type Stream = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;

export interface OutputOptions {
  stdout: Stream;
  stderr: Stream;
  env: NodeJS.ProcessEnv;
  /** One JSON object a line on stdout and nothing else there. */
  json: boolean;
  /** False: never; true: where the terminal and the environment (NO_COLOR, FORCE_COLOR) want them; `always`: whatever they say. */
  color: boolean | 'always';
  /** Says nothing on the way: results and errors only. */
  quiet?: boolean;
}

/**
 * Where a command's words go. Results go to stdout, so that they can be piped; what is said on the way goes to stderr.
 * Nothing that a command reads from a host is printed without passing `printable`.
 */
export class Output {
  readonly json: boolean;
  /** Whether a person watches stdout: only then frames are drawn over one another. */
  readonly interactive: boolean;
  readonly theme: Theme;
  private readonly errorTheme: Theme;
  private pending: Omit<CommonFields, 'time'> = {};
  private hasObjects = false;
  private beside: ((text: string) => void) | undefined;

  constructor(readonly options: OutputOptions) {
    const { env, stdout, stderr } = options;
    const unicode = unicodeIn(env);
    this.json = options.json;
    this.interactive = stdout.isTTY === true && !options.json && env.TERM !== 'dumb' && !env.CI;
    this.theme = createTheme(colored(options, stdout), unicode);
    this.errorTheme = createTheme(colored(options, stderr), unicode);
  }

  get columns(): number {
    return this.options.stdout.columns || 100;
  }

  /** One line of a result. */
  line(text = ''): void {
    this.options.stdout.write(`${text}\n`);
  }

  /** One object of the NDJSON stream; docs/json.md lists them. */
  object(value: JsonObject): void {
    this.options.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...value, ...this.pending })}\n`);
    this.pending = {};
    this.hasObjects = true;
  }

  /** Fields that the next object has besides its own: what a command would otherwise have to hand through. */
  withNextObject(fields: Omit<CommonFields, 'time'>): void {
    this.pending = { ...this.pending, ...fields };
  }

  /** Last object of a command that has printed any: how it ended, for whoever has no way to see its exit code. */
  end(exitCode: number): void {
    if (this.json && this.hasObjects) this.object({ type: 'end', exitCode });
  }

  /** Something said on the way; not with `--quiet`. */
  note(text: string): void {
    if (!this.options.quiet) this.complain(text);
  }

  /**
   * While a frame stands at the end of the terminal, what is said goes through whoever draws it: a line written beside it would
   * be painted over, and leave pieces of the frame behind. Ends with undefined.
   */
  divert(beside: ((text: string) => void) | undefined): void {
    this.beside = beside;
  }

  /** An error on stderr; with `--json` as an object on stdout instead. */
  error(error: unknown): void {
    if (this.json) this.object(errorEvent(error));
    else this.complain(errorLines(error, this.errorTheme, this.options.stderr.columns || 100).join('\n'));
  }

  private complain(text: string): void {
    // A stderr that goes elsewhere gets its lines all the same.
    if (this.beside !== undefined && this.options.stderr.isTTY === true) this.beside(text);
    else this.options.stderr.write(`${text}\n`);
  }
}

/** See no-color.org: NO_COLOR, when set and not empty, wins over the terminal; FORCE_COLOR wins over its absence. */
function colored({ color, env }: OutputOptions, stream: Stream): boolean {
  if (color === 'always') return true;
  if (!color || env.NO_COLOR || env.TERM === 'dumb') return false;
  return stream.isTTY === true || Boolean(env.FORCE_COLOR && env.FORCE_COLOR !== '0');
}
