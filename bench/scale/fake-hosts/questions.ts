/**
 * Reads the scripts of `gatherFacts` (src/activities/remote-facts.ts): functions, and lines that put a question by
 * `fact NAME COMMAND…` or `ask NAME COMMAND…`. Each question is answered by its command, so a new question about a file, a
 * service or an object of the API needs nothing new here.
 */
import { wordsOf } from './shell-words.js';

export interface Answered {
  /** Exit status: 0 is yes, `SAYS_NO` no, anything else unknown. */
  status: number;
  text: string;
  /** Standard error of a question that could not be answered. */
  why?: string;
}

export interface Respondent {
  /** Whether a condition of an `if` holds. @throws Error for one that is not known */
  holds(condition: string): boolean;
  /** Whether there is such a file. */
  exists(path: string): boolean;
  /** @param functions bodies of the script's functions by name @throws Error for a command that is not known */
  answer(words: string[], functions: Map<string, string>): Answered;
}

/** Whether a script is one of questions: its library makes `fact` print base64. */
export function isOfQuestions(script: string): boolean {
  return script.startsWith('set +e +u\nfact() {\n  local kw_name');
}

/** What the script prints. @throws Error that names the first line nobody knows an answer to */
export function answerAll(script: string, respondent: Respondent): string {
  const printed: string[] = [];
  const functions = new Map<string, string>();
  const conditions: boolean[] = [];
  for (const line of statementsOf(script, functions)) {
    const condition = /^if (.*); then$/.exec(line)?.[1];
    if (condition !== undefined) conditions.push(respondent.holds(condition));
    else if (line === 'else') conditions.push(!conditions.pop());
    else if (line === 'fi') conditions.pop();
    else if (conditions.every(Boolean)) printed.push(...answerLine(line, functions, respondent));
  }
  return printed.join('');
}

/** Lines that are not part of a function; functions are noted where they stand, for a later one replaces an earlier. */
function* statementsOf(script: string, functions: Map<string, string>): Generator<string> {
  const lines = script.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] as string).trim();
    const [, name = '', rest = ''] = /^(\w+)\(\) \{(.*)$/.exec(line) ?? [];
    if (name === '') {
      // A command may go on behind a backslash, and a quoted word over several lines.
      let whole = line.replace(/ &$/, '');
      while (/\\$/.test(whole)) whole = `${whole.slice(0, -1)}${(lines[++at] ?? '').trim()}`.replace(/ &$/, '');
      yield whole;
    } else if (rest.trimEnd().endsWith('}')) functions.set(name, rest);
    else {
      const body: string[] = [];
      while (++at < lines.length && lines[at] !== '}') body.push(lines[at] as string);
      if (at === lines.length) throw new Error(`a function that does not end by a line of its own: ${name}`);
      functions.set(name, body.join('\n'));
    }
  }
}

/** What is run, and waited for, as a whole is asked line by line like everything else. */
const SILENT = /^(\{|\} .*\| cat|bounded_wait .*|set \+e \+u|wait|exit 0|#.*|)$/;

function answerLine(line: string, functions: Map<string, string>, respondent: Respondent): string[] {
  if (SILENT.test(line)) return [];
  if (line.startsWith('echo ')) return [`${wordsOf(line)[1]}\n`];
  const unless = /^\[ ! -e (\S+) \] \|\| (.*)$/.exec(line);
  if (unless !== null) {
    const [, path = '', rest = ''] = unless;
    return respondent.exists(path) ? answerLine(rest, functions, respondent) : [];
  }
  const [kind, name = '', ...command] = wordsOf(line);
  if (kind !== 'fact' && kind !== 'ask') throw new Error(`a line that is no question: ${line}`);
  const { status, text, why } = respondent.answer(command, functions);
  const reason = why === undefined ? [] : [`why ${name} 0 ${why.replaceAll('\n', '\x1f')}\n`];
  return [`fact ${name} ${status} ${base64(text)}\n`, ...reason];
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
