import { execa } from 'execa';
import { KubewrightError } from '../../errors.js';
import { cCompiler } from '../go/build.js';
import type { Architecture } from '../recipes.js';

/**
 * Runs the C compiler of an architecture.
 *
 * @param what is made, for people
 * @param input source code on standard input, where an argument is `-`
 * @throws KW710 with what the compiler said
 */
export async function compileC(
  what: string,
  args: string[],
  architecture: Architecture,
  input?: string,
): Promise<void> {
  const source = input === undefined ? ({ stdin: 'ignore' } as const) : { input };
  const result = await execa(cCompiler(architecture), args, { reject: false, ...source });
  if (!result.failed) return;
  throw new KubewrightError('KW710', `Compiling ${what} failed.`, {
    hint: 'A C compiler that links statically is needed: gcc and libc6-dev on Debian and Ubuntu.',
    output: (result.stderr || result.shortMessage || '').split('\n').slice(-10).join('\n'),
    cause: result,
  });
}
