import { accessSync, constants } from 'node:fs';
import { messageOf } from '../../../errors.js';
import { hostError } from '../../errors.js';
import { ask } from './program.js';
import type { Hop } from './way.js';

/**
 * Every key file that `cluster.yaml` names must be usable; `ssh` itself passes over one that is not without an end.
 * `ssh-keygen` judges it, which knows every kind that `ssh` does, security keys among them. With an agent a public half or
 * an encrypted key is enough, for the agent may hold the rest.
 *
 * @throws KubewrightError KW211
 */
export async function checkKeyFiles(hop: Hop, host: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const file of hop.keyFiles) {
    const problem = await problemWith(file, host, env);
    if (problem === undefined || (problem.agentMayHelp && hop.agent)) continue;
    throw hostError(
      'keyUnusable',
      `the key file ${file} ${problem.is}${problem.agentMayHelp ? ', and no agent is asked' : ''}`,
      {
        host,
        hint: problem.agentMayHelp
          ? `Load it into an agent (\`eval $(ssh-agent); ssh-add ${file}\`) and leave \`ssh.agent\` on.`
          : 'Name a private key that ssh-keygen can read and that only the worker may read.',
      },
    );
  }
}

interface Problem {
  is: string;
  agentMayHelp: boolean;
}

async function problemWith(file: string, host: string, env: NodeJS.ProcessEnv): Promise<Problem | undefined> {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { is: isMissing ? 'is not there' : `cannot be read: ${messageOf(error)}`, agentMayHelp: false };
  }
  // An empty passphrase is no secret; with it nothing is asked.
  const asPrivate = await ask('ssh-keygen', ['-y', '-P', '', '-f', file], { env, host });
  if (asPrivate.code === 0) return undefined;
  if (/incorrect passphrase/i.test(asPrivate.stderr)) return { is: 'is encrypted', agentMayHelp: true };
  if (/bad permissions|UNPROTECTED/i.test(asPrivate.stderr)) {
    return { is: 'may be read by others, so ssh does not use it (chmod 600)', agentMayHelp: false };
  }
  const asPublic = await ask('ssh-keygen', ['-l', '-f', file], { env, host });
  return asPublic.code === 0
    ? { is: 'holds a public key, name the one without .pub', agentMayHelp: true }
    : { is: 'holds no private key that ssh-keygen can read', agentMayHelp: false };
}
