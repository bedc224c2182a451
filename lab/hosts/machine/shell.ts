/** One shell word. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Bash assignments, one a line; a list becomes an array. */
export function shellSettings(settings: Record<string, string | readonly string[]>): string {
  const value = (each: string | readonly string[]): string =>
    typeof each === 'string' ? shellQuote(each) : `(${each.map(shellQuote).join(' ')})`;
  return Object.entries(settings)
    .map(([name, each]) => `${name}=${value(each)}\n`)
    .join('');
}
