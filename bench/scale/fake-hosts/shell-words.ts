/**
 * Reads shell text as far as the steps' scripts write it: words with quotes. No expansion: a `$` stays what it is.
 */

/** The words of a command up to the end of its line, or of the text. A quoted word may hold line ends. */
export function wordsOf(text: string, from = 0): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = from; at < text.length; at++) {
    const mark = text[at] as string;
    if (mark === "'" || mark === '"') {
      const end = closing(text, at, mark);
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (mark === '\\') {
      at += 1;
      word = (word ?? '') + (text[at] === '\n' ? '' : (text[at] ?? ''));
    } else if (mark === ' ' || mark === '\t' || mark === '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
      if (mark === '\n') return words;
    } else word = (word ?? '') + mark;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** @throws Error where a quote is not closed: the script is none that a shell would take */
function closing(text: string, from: number, mark: string): number {
  const end = text.indexOf(mark, from + 1);
  if (end < 0) throw new Error(`a quote is not closed: ${text.slice(from, from + 60)}`);
  return end;
}

/** The values of `name=value` lines that stand at the head of a script, as `assign` of src/hosts/shell.ts writes them. */
export function assignmentsOf(script: string, ...names: string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const at = script.startsWith(`${name}=`) ? 0 : script.indexOf(`\n${name}=`) + 1;
    if (!script.startsWith(`${name}=`, at)) continue;
    values[name] = wordsOf(script, at + name.length + 1)[0] ?? '';
  }
  return values;
}

/** What each `command …` line of a script is given, in their order. */
export function callsOf(script: string, command: string): string[][] {
  const calls: string[][] = [];
  const mark = `${command} `;
  for (let at = 0; at >= 0; ) {
    if (script.startsWith(mark, at)) calls.push(wordsOf(script, at + mark.length));
    const next = script.indexOf(`\n${mark}`, at);
    at = next < 0 ? -1 : next + 1;
  }
  return calls;
}
