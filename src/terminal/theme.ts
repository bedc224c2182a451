import pc from 'picocolors';
import stringWidth from 'string-width';
import { printable, truncate } from './text.js';
import type { Line, StyleName } from './types.js';

export interface Symbols {
  done: string;
  running: string;
  waiting: string;
  blocked: string;
  skipped: string;
  failed: string;
  quote: string;
  /** Before something that would be changed. */
  change: string;
  /** A while of a component, in the colour of how it was. */
  cell: string;
}

/** How things look on one stream: with colours or without, with signs beyond ASCII or without. */
export interface Theme {
  symbols: Symbols;
  /** Whether styles are colours; where they are not, signs have to say the same. */
  isColored: boolean;
  paint(text: string, style: StyleName | undefined): string;
}

const UNICODE: Symbols = {
  done: '✓',
  running: '●',
  waiting: '·',
  blocked: '✗',
  skipped: '–',
  failed: '✗',
  quote: '│',
  change: '→',
  cell: '■',
};
const ASCII: Symbols = {
  done: '+',
  running: '*',
  waiting: '.',
  blocked: 'x',
  skipped: '-',
  failed: 'x',
  quote: '|',
  change: '>',
  cell: '#',
};

/**
 * @param color whether styles become ANSI colours
 * @param unicode whether signs beyond ASCII can be shown; see `unicodeIn`
 */
export function createTheme(color: boolean, unicode: boolean): Theme {
  const colors = pc.createColors(color);
  const styles: Record<StyleName, (text: string) => string> = {
    good: colors.green,
    bad: colors.red,
    busy: colors.cyan,
    warn: colors.yellow,
    faint: colors.dim,
    strong: colors.bold,
  };
  return {
    symbols: unicode ? UNICODE : ASCII,
    isColored: color,
    paint: (text, style) => (style === undefined ? text : styles[style](text)),
  };
}

/** Whether the locale says UTF-8. Over SSH a bare `C` locale is common, and there every sign would come out as `?`. */
export function unicodeIn(env: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

/** Turns a line into text of at most so many columns. */
export function paintLine(line: Line, theme: Theme, columns = Number.POSITIVE_INFINITY): string {
  let left = columns;
  let text = '';
  for (const span of line) {
    const part = truncate(printable(span.text), left);
    left -= stringWidth(part);
    if (part !== '') text += theme.paint(part, span.style);
    if (left <= 0) break;
  }
  return text;
}
