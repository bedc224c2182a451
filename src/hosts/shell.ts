/**
 * Shell text. Every value that reaches a shell passes `quote`; scripts travel on standard input, never in argv, where
 * any user of the host could read them with `ps`.
 */

/** Quotes one word for a POSIX shell. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a shell word cannot hold a NUL byte');
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Assignments for the head of a script: `assign({unit: "a b"})` is `unit='a b'` and a newline. */
export function assign(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(String(value))}\n`)
    .join('');
}

/** The path of tools on every supported distribution, sbin included, which a login by SSH often lacks. */
export const TOOL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Tag for shell text in a template: backslashes stay as they are, and `\${` is the shell's own `${`.
 * Values are put in as they are; what is not a constant of this project goes through `quote` or `assign`.
 */
export function bash(strings: TemplateStringsArray, ...values: (string | number)[]): string {
  return String.raw(strings, ...values).replaceAll('\\${', '${');
}
