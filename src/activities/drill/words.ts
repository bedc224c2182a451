/** Variables of the worker's environment with the command lines that take a host's power, and give it back. */
export const POWER_VARIABLES = { off: 'KUBEWRIGHT_POWER_OFF', on: 'KUBEWRIGHT_POWER_ON' } as const;

/**
 * Takes a command line apart into words, as a shell would: quotation marks hold a word together, a backslash takes the next character
 * as it is. Nothing is replaced, for no shell runs it. Pure.
 *
 * @returns undefined where a quotation mark is not closed
 */
export function wordsOf(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let mark = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '\\' && mark !== "'" && at + 1 < text.length) {
      at += 1;
      word = `${word ?? ''}${text[at]}`;
    } else if (mark !== '') {
      if (character === mark) mark = '';
      else word = `${word ?? ''}${character}`;
    } else if (character === '"' || character === "'") {
      mark = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${character}`;
  }
  if (mark !== '') return undefined;
  return word === undefined ? words : [...words, word];
}

/**
 * What is wrong with a power command, as the rest of a sentence; undefined where nothing is. One that names no host would switch off the
 * same one whoever is chosen. Pure.
 */
export function powerFault(text: string): string | undefined {
  const words = wordsOf(text);
  if (words === undefined) return 'has a quotation mark that is not closed';
  if (words.length === 0) return 'names no command';
  const names = words.slice(1).some((word) => /\{(host|address)\}/.test(word));
  return names ? undefined : 'says of no host which: {host} or {address} has to stand in it';
}
