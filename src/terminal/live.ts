import stringWidth from 'string-width';

/** The part of a TTY that is drawn on. */
export interface Screen {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

const ESC = '\u001b[';
/** Synchronized output: terminals that know it show the frame at once, others ignore it. */
const BEGIN = `${ESC}?2026h`;
const END = `${ESC}?2026l`;
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;
const CLEAR_TO_LINE_END = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;

/**
 * Draws frames over one another at the end of a terminal's output. What was printed before stays. Lines are overwritten
 * rather than cleared first, in one write a frame, so nothing flickers.
 */
export class LiveView {
  private drawn: string[] = [];

  constructor(private readonly screen: Screen) {}

  /** Columns and rows for the next frame; one row stays free, for the cursor stands below the frame. */
  size(): { columns: number; rows: number } {
    return { columns: Math.max(20, this.screen.columns || 80), rows: Math.max(4, (this.screen.rows || 24) - 1) };
  }

  /** Replaces the frame. Lines must fit the width that `size` gave. */
  draw(lines: string[]): void {
    const body = lines.map((line) => `${line}${CLEAR_TO_LINE_END}\n`).join('');
    this.screen.write(`${BEGIN}${HIDE_CURSOR}${this.back()}${body}${CLEAR_BELOW}${END}`);
    this.drawn = lines;
  }

  /** Takes the frame away, prints lines that stay, and goes on below them. */
  print(lines: string[]): void {
    this.screen.write(`${BEGIN}${this.back()}${CLEAR_BELOW}${lines.map((line) => `${line}\n`).join('')}${END}`);
    this.drawn = [];
  }

  /** Leaves the last frame where it is and gives the cursor back. Must be called on every way out. */
  close(): void {
    this.screen.write(SHOW_CURSOR);
    this.drawn = [];
  }

  /**
   * To the first line of the frame. A terminal that was made narrower has broken the drawn lines, so the rows they take
   * now are counted with the width of now.
   */
  private back(): string {
    const columns = this.screen.columns || 80;
    const rows = this.drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)), 0);
    // More rows than the screen has are out of reach; going to the top is all that can be done.
    const reachable = Math.min(rows, Math.max(0, (this.screen.rows || 24) - 1));
    return reachable === 0 ? '\r' : `\r${ESC}${reachable}A`;
  }
}
