import type { PlacedProgram } from '../bundle/programs.js';
import { bash, quote } from '../hosts/shell.js';
import type { Upload } from '../hosts/types.js';
import { BINARY_DIRECTORY } from '../render/kubelet-unit.js';
import { uploadOf } from './bundle-upload.js';
import type { Facts } from './remote-facts.js';
import type { StepContext } from './types.js';

/** A program of a release, and where it lies on a host. */
export type LinkedProgram = Pick<PlacedProgram, 'name' | 'target'>;

/** Where people and other programs find a program, whichever release is in use. */
export function linkPath({ name }: Pick<PlacedProgram, 'name'>): string {
  return `${BINARY_DIRECTORY}/${name}`;
}

/** A program as `RemoteHost.upload` takes it. */
export function programUpload({ file, target }: PlacedProgram): Upload {
  return uploadOf(file, target);
}

/** Facts for `staleLinks`: where the links lead. */
export function linkFacts(programs: readonly LinkedProgram[]): string {
  return programs.map((program) => `fact ${linkPath(program)} readlink ${linkPath(program)} &\n`).join('');
}

/** Programs whose link is not there, or leads to another release. */
export function staleLinks<Program extends LinkedProgram>(programs: readonly Program[], facts: Facts): Program[] {
  return programs.filter((program) => facts.text(linkPath(program)) !== program.target);
}

/**
 * Points the links to these releases, each in one rename. A program of somebody else keeps a second name; one that is the
 * same to the byte, as 0.1.0 put it there, does not.
 */
export async function linkPrograms(context: StepContext, programs: readonly LinkedProgram[]): Promise<void> {
  const { stdout } = await context.host.run(linkScript(programs), { signal: context.signal });
  for (const line of stdout.split('\n')) {
    const [word, path, copy] = line.split('\t');
    if (word === 'kept' && path !== undefined && copy !== undefined) context.noteBackup(path, copy);
  }
}

/** Exported for the test that runs it. */
export function linkScript(programs: readonly LinkedProgram[]): string {
  const calls = programs.map((program) => `link ${quote(program.target)} ${quote(linkPath(program))}`);
  return `set -e\n${LINK}${calls.join('\n')}\n`;
}

const LINK = bash`
link() {
  local target=$1 name=$2 copy
  [ "$(readlink "$name")" != "$target" ] || return 0
  mkdir -p "\${name%/*}"
  if [ -e "$name" ] && [ ! -L "$name" ] && ! cmp -s "$name" "$target"; then
    copy=$name.kubewright-backup-$(date -u +%Y%m%dT%H%M%S.%3NZ)
    ln -- "$name" "$copy" || cp -a -- "$name" "$copy"
    printf 'kept\t%s\t%s\n' "$name" "$copy"
  fi
  ln -sfn -- "$target" "$name.kubewright-new"
  mv -fT -- "$name.kubewright-new" "$name"
}
`;
