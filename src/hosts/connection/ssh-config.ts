import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import SSHConfig, { glob } from 'ssh-config';
import { messageOf } from '../../errors.js';
import { hostError } from '../errors.js';

/** What `~/.ssh/config` says about one destination; only the options that Kubewright honours. */
export interface SshConfigEntry {
  hostName?: string;
  port?: number;
  user?: string;
  identityFiles: string[];
  identitiesOnly: boolean;
  /** Path, `none`, or undefined for `$SSH_AUTH_SOCK`. */
  identityAgent?: string;
  proxyJump?: string;
  proxyCommand?: string;
  hostKeyAlias?: string;
  userKnownHostsFiles: string[];
}

const EMPTY: SshConfigEntry = { identityFiles: [], identitiesOnly: false, userKnownHostsFiles: [] };

/** OpenSSH follows includes to this depth (READCONF_MAX_DEPTH). */
const MAX_INCLUDE_DEPTH = 16;

/**
 * Reads an OpenSSH client configuration for one destination, `Include` followed, `Match exec` never run.
 *
 * @param file absolute path, or null for none
 * @param destination what the user would type after `ssh`
 * @throws KubewrightError KW240 when the file cannot be read or parsed
 */
export function readSshConfig(
  file: string | null,
  destination: { host: string; user?: string },
  context: { hostName: string; homeDirectory: string; mayBeMissing: boolean },
): SshConfigEntry {
  if (file === null) return EMPTY;
  try {
    const text = withIncludes(file, readFileSync(file, 'utf8'), context.homeDirectory, 0);
    const query = { Host: destination.host, ...(destination.user ? { User: destination.user } : {}) };
    return toEntry(SSHConfig.parse(text).compute(query, { ignoreCase: true, matchExec: false }));
  } catch (error) {
    if (context.mayBeMissing && isMissing(error, file)) return EMPTY;
    throw hostError('sshConfiguration', `cannot use the SSH configuration ${file}: ${messageOf(error)}`, {
      host: context.hostName,
      hint: 'Mend the file, or set `ssh.configFile: null` in cluster.yaml to do without it.',
      cause: error,
    });
  }
}

function isMissing(error: unknown, file: string): boolean {
  const { code, path: where } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' && where === file;
}

function toEntry(options: Record<string, string | string[]>): SshConfigEntry {
  const all = (name: string): string[] => [options[name] ?? []].flat();
  const first = (name: string): string | undefined => all(name)[0];
  const port = first('port');
  return {
    hostName: first('hostname'),
    port: port === undefined ? undefined : Number(port),
    user: first('user'),
    identityFiles: all('identityfile'),
    identitiesOnly: first('identitiesonly')?.toLowerCase() === 'yes',
    identityAgent: first('identityagent'),
    proxyJump: first('proxyjump'),
    proxyCommand: first('proxycommand'),
    hostKeyAlias: first('hostkeyalias'),
    userKnownHostsFiles: all('userknownhostsfile').flatMap((value) => value.split(/\s+/)),
  };
}

/**
 * ssh-config does not follow `Include`. An included file's `Host` blocks end with that file, so the block around the
 * `Include` (or `Host *` at the top) is opened again behind it.
 */
function withIncludes(file: string, text: string, home: string, depth: number): string {
  if (depth > MAX_INCLUDE_DEPTH) throw new Error(`too many nested Include lines at ${file}`);
  let block = 'Host *';
  const lines = text.split('\n').flatMap((line) => {
    if (/^\s*(host|match)[\s=]/i.test(line)) block = line.trim();
    const include = /^\s*include[\s=]+(.+)$/i.exec(line);
    if (!include?.[1]) return [line];
    const files = include[1]
      .trim()
      .split(/\s+/)
      .flatMap((pattern) => expand(unquote(pattern), home));
    return [...files.map((each) => withIncludes(each, readFileSync(each, 'utf8'), home, depth + 1)), block];
  });
  return lines.join('\n');
}

/** Wildcards in the last part of the path, which is where `config.d/*` has them. A file that is not there is skipped. */
function expand(pattern: string, home: string): string[] {
  const absolute = path.resolve(home, '.ssh', pattern.replace(/^~(?=\/)/, home));
  const directory = path.dirname(absolute);
  let names: string[];
  try {
    names = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
  const wanted = path.basename(absolute);
  return names
    .filter((name) => name === wanted || (!name.startsWith('.') && glob(wanted, name)))
    .sort()
    .map((name) => path.join(directory, name));
}

function unquote(word: string): string {
  return word.replace(/^"(.*)"$/, '$1');
}
