/** Where a setting stands, for messages: `file:line`. */
export interface Place {
  file: string;
  line: number;
}

/** One line of an OpenSSH client configuration that says something. */
export interface ConfigLine extends Place {
  /** Lower case. */
  keyword: string;
  /** What follows the keyword and its separator, comments included, without the blanks at its end. */
  rest: string;
}

/** A configuration that cannot be honoured. `openssh`: the system's own `ssh` would honour it. */
export class ConfigProblem extends Error {
  constructor(
    readonly place: Place,
    message: string,
    readonly openssh = false,
  ) {
    super(message);
  }
}

export function placeText({ file, line }: Place): string {
  return `${file}:${line}`;
}

/**
 * Takes a file apart as OpenSSH does (readconf.c, process_config_line_depth): blanks or one `=` between keyword and
 * arguments, `#` lines are comments.
 *
 * @throws ConfigProblem for a keyword without an argument
 */
export function readLines(file: string, text: string): ConfigLine[] {
  return text.split('\n').flatMap((raw, index) => {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) return [];
    const place = { file, line: index + 1 };
    const parts = /^"?([^\s="]+)"?(?:[ \t\r]*=[ \t\r]*|[ \t\r]+|$)(.*)$/s.exec(content);
    if (parts?.[1] === undefined) throw new ConfigProblem(place, `cannot read ${JSON.stringify(content)}`);
    const keyword = parts[1].toLowerCase();
    if (!parts[2]) throw new ConfigProblem(place, `${parts[1]} has no argument`);
    return [{ ...place, keyword, rest: parts[2] }];
  });
}

/**
 * The arguments of a line, quotes and escapes taken off, a comment behind them left out (misc.c, argv_split).
 *
 * @throws ConfigProblem for a quote that is not closed
 */
export function words(line: ConfigLine): string[] {
  const found: string[] = [];
  const { rest } = line;
  let at = 0;
  for (;;) {
    while (/[ \t]/.test(rest[at] ?? '')) at += 1;
    if (at >= rest.length || rest[at] === '#') return found;
    const { word, end } = readWord(line, at);
    found.push(word);
    at = end;
  }
}

function readWord(line: ConfigLine, start: number): { word: string; end: number } {
  const { rest } = line;
  let word = '';
  let quote = '';
  let at = start;
  for (; at < rest.length; at += 1) {
    const character = rest[at] as string;
    const next = rest[at + 1] ?? '';
    if (character === '\\' && (/['"\\]/.test(next) || (quote === '' && next === ' '))) {
      word += next;
      at += 1;
    } else if (quote === '' && /[ \t]/.test(character)) break;
    else if (quote === '' && /['"]/.test(character)) quote = character;
    else if (character === quote) quote = '';
    else word += character;
  }
  if (quote !== '') throw new ConfigProblem(line, `a quote is not closed in ${JSON.stringify(rest)}`);
  return { word, end: at };
}

/** The words of a `Match` line: there `=` separates as well, and only double quotes count (misc.c, strdelim). */
export function matchWords(line: ConfigLine): string[] {
  const found: string[] = [];
  const pattern = /[ \t]*(?:"([^"]*)"|([^\s="]+))(?:[ \t]*=[ \t]*|[ \t]+|$)|(.)/gsy;
  for (const [, quoted, plain, other] of line.rest.matchAll(pattern)) {
    if (other !== undefined) throw new ConfigProblem(line, `cannot read ${JSON.stringify(line.rest)}`);
    const word = quoted ?? plain ?? '';
    if (quoted === undefined && word.startsWith('#')) break;
    found.push(word);
  }
  return found;
}
