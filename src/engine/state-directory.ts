import { chmod, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { KubewrightError, messageOf } from '../errors.js';

/**
 * Where Kubewright keeps what must survive it (the embedded server's database, records of running processes, logs):
 * `$KUBEWRIGHT_STATE`, else `$XDG_STATE_HOME/kubewright`, else `~/.local/state/kubewright`. A relative `XDG_STATE_HOME`
 * is ignored, as the XDG base directory specification asks.
 */
export function stateDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KUBEWRIGHT_STATE) return env.KUBEWRIGHT_STATE;
  const xdg = env.XDG_STATE_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'kubewright');
}

/**
 * Makes the state directory, for its owner alone: who reads the database reads every install's history.
 *
 * @throws KubewrightError KW506 when it cannot be made or its mode not be set
 */
export async function ensureStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
  } catch (cause) {
    throw new KubewrightError('KW506', `The state directory ${directory} cannot be used: ${messageOf(cause)}`, {
      hint: 'Set KUBEWRIGHT_STATE to a directory that you own.',
      cause,
    });
  }
}
