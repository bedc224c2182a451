import { execa } from 'execa';
import { KubewrightError } from '../../../../../src/errors.js';

/** Runs a command that ends with this process. @throws KW641 */
export async function must(command: string, args: string[]): Promise<void> {
  const result = await execa('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    reject: false,
    all: true,
    stdin: 'ignore',
  });
  if (result.failed) throw imageFailure(command, result.all ?? '');
}

export function imageFailure(program: string, output: string): KubewrightError {
  return new KubewrightError('KW641', `The image of the lab's guests could not be made: ${program} failed.`, {
    output: output.trim().split('\n').slice(-20).join('\n'),
    hint: 'Packages come from where this machine gets its own: see whether `apt-get update` works here.',
  });
}
