import { elapsed } from '../../terminal/text.js';
import { unicodeIn } from '../../terminal/theme.js';
import { Meter, type Reading } from './meter.js';

/** How often (milliseconds) a bar is painted anew, and how often a line is written where there is no terminal. */
const PAINT = 200;
const LINE = 15_000;
/** Cells of the bar. */
const CELLS = 24;

type Stream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** Shows a transfer while it runs. */
export interface Progress {
  /** Says one line, above the bar where there is one. */
  line(text: string): void;
  /** Shows what the meter reads until `work` has ended. */
  watch<T>(title: string, work: (meter: Meter) => Promise<T>): Promise<T>;
}

/** Shows nothing. */
export const noProgress: Progress = { line: () => {}, watch: (_, work) => work(new Meter()) };

/** A bar on a terminal; elsewhere (a pipe, a log, CI) one line every fifteen seconds. */
export class ProgressBar implements Progress {
  private readonly isTerminal: boolean;
  private readonly cells: [full: string, empty: string];
  private painted = false;

  constructor(
    private readonly stream: Stream,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.isTerminal = stream.isTTY === true && env.TERM !== 'dumb' && !env.CI;
    this.cells = unicodeIn(env) ? ['█', '░'] : ['#', '.'];
  }

  line(text: string): void {
    this.wipe();
    this.stream.write(`${text}\n`);
  }

  async watch<T>(title: string, work: (meter: Meter) => Promise<T>): Promise<T> {
    const meter = new Meter();
    const show = (): void => this.show(title, meter.read());
    const timer = setInterval(show, this.isTerminal ? PAINT : LINE);
    try {
      return await work(meter);
    } finally {
      clearInterval(timer);
      this.wipe();
    }
  }

  private show(title: string, reading: Reading): void {
    if (reading.total === 0) return;
    if (!this.isTerminal) {
      this.stream.write(`${title}: ${words(reading)}\n`);
      return;
    }
    const full = Math.floor((reading.done / reading.total) * CELLS);
    const bar = this.cells[0].repeat(full) + this.cells[1].repeat(CELLS - full);
    const text = `${bar} ${words(reading)}`;
    // Cut to the width of the terminal: a line that wraps could not be painted over.
    this.stream.write(`\r\x1b[2K${text.slice(0, (this.stream.columns || 80) - 1)}`);
    this.painted = true;
  }

  private wipe(): void {
    if (this.painted) this.stream.write('\r\x1b[2K');
    this.painted = false;
  }
}

/** `34 %, 120 of 350 MB, 11.2 MB/s, 21 s left`. */
export function words({ done, total, rate, remaining }: Reading): string {
  const percent = `${Math.floor((done / total) * 100)} %`;
  const amount = `${megabytes(done)} of ${megabytes(total)} MB`;
  const left =
    remaining === undefined ? 'nothing arrives' : `${(rate / 1e6).toFixed(1)} MB/s, ${elapsed(remaining)} left`;
  return `${percent}, ${amount}, ${left}`;
}

function megabytes(bytes: number): string {
  return bytes < 10e6 ? (bytes / 1e6).toFixed(1) : String(Math.round(bytes / 1e6));
}
