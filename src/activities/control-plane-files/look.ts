import { createHash } from 'node:crypto';
import { registerSecretFile } from '../../hosts/redact.js';
import { quote } from '../../hosts/shell.js';
import { type DeliveredFile, deliveredFiles } from '../../render/control-plane-files.js';
import { OWNER_PATH, parseOwner } from '../../render/owner.js';
import { type Answer, no, refine, unknown, yes } from '../answers.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';

/** Root's alone: whatever is in it, no other user of the host has to read it. */
export const FILE_MODE = 0o600;
const ATTRIBUTES = `${FILE_MODE.toString(8)} root:root`;

/** How a delivered file stands on a host, beside what it shall be. */
export interface FileLook {
  file: DeliveredFile;
  /** What it shall hold; undefined where the worker's environment does not have its variable. */
  wanted: string | undefined;
  state: 'right' | 'missing' | 'other-content' | 'other-owner' | 'unknown';
}

export interface FilesLook {
  files: FileLook[];
  /** Whether the host is a whole member of a cluster: then its static pods have read what is there. */
  member: Answer<string>;
}

/** Asks a control plane for its delivered files. Of what they hold only digests leave the host. */
export async function lookAtFiles(context: StepContext, env = process.env): Promise<FilesLook> {
  const files = deliveredFiles(context.cluster);
  const questions = files.map(({ path }, index) => `ask file-${index} attributes ${quote(path)}\n`);
  const script = `attributes() { exists "$1" || return; stat -L -c '%a %U:%G' -- "$1" && digest "$1"; }
ask owner content ${OWNER_PATH}
${questions.join('')}`;
  const facts = await gatherFacts(context.host, script, context.signal);
  const member = refine(facts.answer('owner', 'it bears no ownership record'), (text): Answer<string> => {
    const owner = parseOwner(text);
    if (owner === undefined) return unknown('its ownership record cannot be read');
    return owner.caFingerprint === null ? no('no join of this host has ended well yet') : yes(owner.caFingerprint);
  });
  const looks = files.map((file, index): FileLook => {
    const wanted = contentOf(file, env);
    return { file, wanted, state: stateOf(facts.answer(`file-${index}`, 'it is not there'), wanted) };
  });
  return { files: looks, member };
}

function stateOf(answer: Answer<string>, wanted: string | undefined): FileLook['state'] {
  if (answer.is !== 'yes') return answer.is === 'no' ? 'missing' : 'unknown';
  const [attributes, digest] = answer.value.split('\n');
  if (wanted === undefined || digest === undefined) return 'unknown';
  if (digest !== createHash('sha256').update(wanted).digest('hex')) return 'other-content';
  return attributes === ATTRIBUTES ? 'right' : 'other-owner';
}

/** An empty variable is as good as none. Whatever comes out of one is a secret from here on. */
function contentOf(file: DeliveredFile, env: NodeJS.ProcessEnv): string | undefined {
  if ('content' in file) return file.content;
  const value = env[file.env];
  if (value === undefined || value === '') return undefined;
  registerSecretFile(value);
  return value;
}
