import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/**
 * Makes foreign text safe to print: what a host wrote must not move the cursor, set a title or ring the bell. Escape
 * sequences go, tabs become spaces, other control characters go.
 */
export function printable(text: string): string {
  return (
    stripVTControlCharacters(text)
      .replaceAll('\t', '    ')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
  );
}

/** The last lines of a text that say something, each made printable. */
export function lastLines(text: string, count: number): string[] {
  const lines = text
    .split(/\r\n|\n|\r/)
    .map((line) => printable(line).trimEnd())
    .filter((line) => line !== '');
  return lines.slice(-count);
}

/** Cuts a text to so many columns of a terminal; what was cut ends in `…`. Wide characters count two columns. */
export function truncate(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (stringWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Fills up with spaces to so many columns. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - stringWidth(text)));
}

/** Breaks a text into lines of at most so many columns, at spaces where there are any. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** Cuts a name to so many columns in its middle: names of hosts differ at their begin or at their end. For plain ASCII. */
export function truncateMiddle(name: string, columns: number): string {
  if (name.length <= columns) return name;
  const end = Math.floor((columns - 1) / 2);
  return `${name.slice(0, columns - 1 - end)}…${name.slice(name.length - end)}`;
}

/** As many names as fit into so many lines, and how many more there are: `w-1, w-2 and 58 more`. At least one. */
export function fittingNames(names: readonly string[], columns: number, rows: number): string[] {
  const sentence = (count: number): string => {
    const rest = names.length - count;
    return `${names.slice(0, count).join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`;
  };
  let [fits, tooMany] = [1, Math.min(names.length, rows * columns) + 1];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (wrap(sentence(middle), columns).length <= rows) fits = middle;
    else tooMany = middle;
  }
  return wrap(sentence(fits), columns);
}

/** The first of many names: `w-1, w-2 and 58 more`. */
export function firstNames(names: readonly string[], count: number): string {
  const rest = names.length - count;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, count).join(', ')} and ${rest} more`;
}

/** A duration for people: `0.4 s`, `12 s`, `3 m 05 s`, `2 h 10 m`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
}

/** Time of something that still runs: whole seconds, for tenths would only flicker. */
export function elapsed(milliseconds: number): string {
  return duration(milliseconds).replace(/\.\d s$/, ' s');
}

/** Time since the start for the front of a line: `+0:07`, `+12:40`, `+1:02:03`. */
export function offset(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `+${minutes}:${two(seconds % 60)}` : `+${hours}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** A moment in UTC, which is what logs on the hosts say, to the minute: `2026-11-20 12:00`. */
export function utcMinute(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
