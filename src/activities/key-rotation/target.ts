import { ENCRYPTION_PATH } from '../../cluster/security/paths.js';
import { listed, type Problem } from '../prepare/checks/problem.js';
import type { StepContext } from '../types.js';
import type { KeyFile, Rotation } from './key-file.js';

/** The step that chooses which key takes the place of which, once for the whole run. */
const CHOSEN_BY = 'cluster/preflight';

/** What the preflight of the run has chosen. */
export function targetOf({ inputs, step }: Pick<StepContext, 'inputs' | 'step'>): Rotation {
  const { from, to } = inputs[CHOSEN_BY] ?? {};
  if (typeof from === 'string' && typeof to === 'string') return { from, to };
  // The plan lets every step need the preflight, so this is a programming error.
  throw new Error(`step ${step.id} was told of no rotation`);
}

/** One control plane's file, by the name of its host. */
export interface NamedFile {
  host: string;
  file: KeyFile;
}

/**
 * Which key takes the place of which; pure. One that was begun and not ended is gone on with, as the files themselves say. Where they
 * are at odds in any other way, a person has to say which one is right.
 *
 * @param now for the name of a new key, as the first one got its own
 */
export function chooseTarget(files: NamedFile[], now: Date): { target: Rotation } | { problem: Problem } {
  const marked = new Map(
    files.flatMap(({ file: { rotation } }): [string, Rotation][] =>
      rotation === undefined ? [] : [[rotation.to, rotation]],
    ),
  );
  const [begun] = marked.values();
  if (begun !== undefined && marked.size === 1) {
    const others = files.filter(({ file }) => file.keys.some((key) => key !== begun.from && key !== begun.to));
    return others.length === 0 ? { target: begun } : { problem: atOdds(files) };
  }
  const [first] = files;
  if (first === undefined || new Set(files.map(({ file }) => file.digest)).size > 1) return { problem: atOdds(files) };
  const [from = ''] = first.file.keys;
  return { target: { from, to: nameFor(now, from) } };
}

function nameFor(now: Date, from: string): string {
  const digits = now.toISOString().replaceAll(/[-:]/g, '');
  const name = `key-${digits.slice(0, 8)}-${digits.slice(9, 15)}`;
  return name === from ? `${name}-b` : name;
}

function atOdds(files: NamedFile[]): Problem {
  const groups = files.map(({ host, file }) => `${host} (${file.digest.slice(0, 12)}…)`);
  return {
    code: 'KW383',
    what: `control planes have different files ${ENCRYPTION_PATH}, and no rotation explains it: ${listed(groups)}`,
    hint: 'An API server cannot read what another one wrote with another key. Copy the right file, the one of the API servers that run, to all of them, then start the rotation.',
    hosts: files.map(({ host }) => host),
  };
}
