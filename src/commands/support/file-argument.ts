/** What every command that reads a cluster.yaml takes: for commander's `argument`. */
export const FILE_ARGUMENT = ['[file]', 'path of the cluster.yaml, or - for standard input', 'cluster.yaml'] as const;

/** The name of standard input where a file is asked for. */
export const STDIN = '-';

/** How messages call the file: `<stdin>:3:7: …` is what compilers say, too. */
export function nameOf(file: string): string {
  return file === STDIN ? '<stdin>' : file;
}
