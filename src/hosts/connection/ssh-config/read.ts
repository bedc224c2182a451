import path from 'node:path';
import { hostError } from '../../errors.js';
import { type ConfigSource, type Evaluated, evaluate, type Query } from './evaluate.js';
import { ConfigProblem, placeText } from './lines.js';

export const DEFAULT_CONFIG_FILE = '~/.ssh/config';

/** Where OpenSSH looks for the system's files. */
export const SYSTEM_DIRECTORY = '/etc/ssh';

/**
 * The files that speak for a destination: the user's and then the system's, as `ssh` reads them; a file that was named
 * stands alone, as with `ssh -F`.
 *
 * @param configFile as cluster.yaml has it, or null for none
 */
export function configSources(configFile: string | null, home: string, systemDirectory: string): ConfigSource[] {
  if (configFile === null) return [];
  const file = path.resolve(home, configFile.replace(/^~(?=\/|$)/, home));
  const isDefault = configFile === DEFAULT_CONFIG_FILE;
  const users = { file, isUsers: true, mayBeMissing: isDefault };
  const systems = { file: path.join(systemDirectory, 'ssh_config'), isUsers: false, mayBeMissing: true };
  return isDefault ? [users, systems] : [users];
}

/** @throws KubewrightError KW240 with file and line for a configuration that cannot be honoured */
export function readSshConfig(sources: readonly ConfigSource[], query: Query, host: string): Evaluated {
  return honouring(host, () => evaluate(sources, query));
}

/** Runs `act`, and tells what it cannot honour as KW240. */
export function honouring<T>(host: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ConfigProblem)) throw error;
    throw hostError('sshConfiguration', `${placeText(error.place)}: ${error.message}`, {
      host,
      hint: error.openssh
        ? `Set \`ssh.client: openssh\` in cluster.yaml for this host: the system's own ssh honours that line. Or say in ` +
          `cluster.yaml how it is reached (\`ssh.bastion\`, \`ssh.user\`, \`ssh.keyFile\`) with \`ssh.configFile: null\`.`
        : 'Mend that line, or set `ssh.configFile: null` in cluster.yaml to do without the file.',
      cause: error,
    });
  }
}
