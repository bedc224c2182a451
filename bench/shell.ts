import { execa } from 'execa';

/** The program as a user has it. */
export const PROGRAM = new URL('../../bin/kubewright.mjs', import.meta.url).pathname;

/** Runs a program and measures its wall time in seconds. Throws with the end of its output when it fails. */
export async function timed(
  program: string,
  args: string[],
  options: { env?: Record<string, string>; timeoutMs?: number; onLine?: (line: string) => void } = {},
): Promise<{ seconds: number; stdout: string }> {
  const started = performance.now();
  const child = execa(program, args, {
    env: options.env,
    timeout: options.timeoutMs ?? 900_000,
    all: true,
    stdin: 'ignore',
  });
  if (options.onLine) {
    for await (const line of child.iterable({ from: 'all' })) options.onLine(String(line));
  }
  const { stdout } = await child;
  return { seconds: (performance.now() - started) / 1_000, stdout };
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
