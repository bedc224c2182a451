import os from 'node:os';
import path from 'node:path';
import type { SshSettings } from '../../cluster/types.js';
import type { Evaluated, Setting } from './ssh-config/evaluate.js';
import { expandEnvironment, expandTokens } from './ssh-config/expand.js';
import { ConfigProblem, placeText } from './ssh-config/lines.js';
import { SYSTEM_DIRECTORY } from './ssh-config/read.js';

/** A value, and which key of cluster.yaml or line of a configuration gave it (`default` where none did). */
export interface Sourced<T> {
  value: T;
  source: string;
}

/** One machine on the way to a host: the host itself, or a bastion. Everything needed to dial it. */
export interface Hop {
  /** How messages call it: `bastion gate.example.com`, or the host's name. */
  label: string;
  address: string;
  port: number;
  user: string;
  /** `required`: cluster.yaml names these files, so each must be usable; otherwise those that are there are taken. */
  identities: { files: Sourced<string>[]; required: boolean; only: boolean };
  /** Files with a certificate for a key, which the built-in client cannot present. */
  certificates: string[];
  /** Path of the agent's socket, or null. */
  agent: string | null;
  /** The user's known_hosts files; the first one takes new keys. Empty where the configuration wants none. */
  knownHostsFiles: string[];
  /** The system's. They are read like the user's, and never written. */
  globalKnownHostsFiles: string[];
  /** Name to look up in known_hosts instead of address and port. */
  hostKeyAlias?: string;
  hostKeys: SshSettings['hostKeys'];
  /** Where the values above come from, for a person who wonders. */
  sources: { address: string; port: string; user: string; agent: string; knownHosts: string };
}

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  homeDirectory: string;
  /** Where the system's ssh_config and ssh_known_hosts lie; `/etc/ssh` unless a test says otherwise. */
  systemSshDirectory?: string;
}

/** What cluster.yaml, or a jump in the configuration, says about one machine. */
export interface Wanted {
  label: string;
  /** What one would type after `ssh`. */
  address: string;
  /** `open`: the configuration may say another. */
  port: Sourced<number> & { open: boolean };
  user: Sourced<string> & { open: boolean };
  keyFiles: Sourced<string>[];
  knownHostsFile: Sourced<string> & { open: boolean };
}

/** `ssh` tries these when nothing else is named (ssh_config(5), IdentityFile). */
const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/** Puts together what cluster.yaml and the configuration say about one machine; what cluster.yaml writes wins. */
export function makeHop(ssh: SshSettings, wanted: Wanted, found: Evaluated, where: Surroundings): Hop {
  const { settings, hostName } = found;
  const user = wanted.user.open ? (sourced(settings.get('user'), String) ?? wanted.user) : wanted.user;
  const port = wanted.port.open ? (sourced(settings.get('port'), portOf) ?? wanted.port) : wanted.port;
  const alias = settings.get('hostkeyalias')?.values[0]?.toLowerCase();
  const expand = expander(
    { address: hostName, user: user.value, port: port.value, typed: wanted.address, alias },
    where,
  );
  const agent = agentSocket(ssh, settings.get('identityagent'), expand, where);
  return {
    label: wanted.label,
    address: hostName,
    port: port.value,
    user: user.value,
    identities: {
      files: identityFiles(wanted, found, expand, where),
      required: wanted.keyFiles.length > 0,
      only: isYes(settings.get('identitiesonly')),
    },
    certificates: found.certificateFiles.flatMap((each) => expand(each)),
    agent: agent.value,
    ...knownHosts(wanted, settings, expand, where),
    ...(alias === undefined ? {} : { hostKeyAlias: alias }),
    hostKeys: ssh.hostKeys,
    sources: {
      address: sourced(settings.get('hostname'), String)?.source ?? 'cluster.yaml',
      port: port.source,
      user: user.source,
      agent: agent.source,
      knownHosts: knownHostsSource(wanted, settings),
    },
  };
}

function sourced<T>(
  setting: Setting | undefined,
  convert: (text: string, setting: Setting) => T,
): Sourced<T> | undefined {
  if (setting === undefined) return undefined;
  return { value: convert(setting.values[0] ?? '', setting), source: placeText(setting.place) };
}

function portOf(text: string, { place }: Setting): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port > 0 && port < 65536) return port;
  throw new ConfigProblem(place, `${JSON.stringify(text)} is no port number`);
}

function isYes(setting: Setting | undefined): boolean {
  return /^(yes|true)$/i.test(setting?.values[0] ?? 'no');
}

/** The values of a setting as paths. */
type Expand = (setting: Setting) => string[];

/** `~`, the tokens of ssh_config(5) that a file's name takes, and `${NAME}`. */
function expander(
  hop: { address: string; user: string; port: number; typed: string; alias: string | undefined },
  where: Surroundings,
): Expand {
  const tokens = {
    d: where.homeDirectory,
    h: hop.address,
    i: String(process.getuid?.() ?? ''),
    k: hop.alias ?? hop.typed,
    L: os.hostname().split('.')[0] ?? '',
    l: os.hostname(),
    n: hop.typed,
    p: String(hop.port),
    r: hop.user,
    u: localUser(where),
  };
  return ({ values, place }) =>
    values.map((value) => {
      const atHome = value.replace(/^~(?=\/|$)/, where.homeDirectory);
      if (atHome.startsWith('~'))
        throw new ConfigProblem(place, `${value} lies in another user's home directory`, true);
      return path.resolve(
        where.homeDirectory,
        expandEnvironment(expandTokens(atHome, tokens, place), where.env, place),
      );
    });
}

/** Who runs this program, as `%u` and `Match localuser` have it. */
export function localUser({ env }: Surroundings): string {
  try {
    return os.userInfo().username;
  } catch {
    // A container's user id need not be in its /etc/passwd.
    return env.USER ?? env.LOGNAME ?? 'root';
  }
}

export function expandHome(file: string, where: Surroundings): string {
  return path.resolve(where.homeDirectory, file.replace(/^~(?=\/|$)/, where.homeDirectory));
}

function identityFiles(wanted: Wanted, found: Evaluated, expand: Expand, where: Surroundings): Sourced<string>[] {
  if (wanted.keyFiles.length > 0)
    return wanted.keyFiles.map(({ value, source }) => ({ value: expandHome(value, where), source }));
  if (found.identityFiles.length > 0) {
    return found.identityFiles
      .filter(({ values }) => values[0]?.toLowerCase() !== 'none')
      .flatMap((each) => expand(each).map((value) => ({ value, source: placeText(each.place) })));
  }
  return DEFAULT_IDENTITIES.map((name) => ({ value: expandHome(`~/.ssh/${name}`, where), source: 'default' }));
}

function knownHosts(
  wanted: Wanted,
  settings: Evaluated['settings'],
  expand: Expand,
  where: Surroundings,
): Pick<Hop, 'knownHostsFiles' | 'globalKnownHostsFiles'> {
  const system = where.systemSshDirectory ?? SYSTEM_DIRECTORY;
  const configured = wanted.knownHostsFile.open ? settings.get('userknownhostsfile') : undefined;
  const global = settings.get('globalknownhostsfile');
  const isNone = (setting: Setting): boolean => setting.values[0]?.toLowerCase() === 'none';
  const named = [wanted.knownHostsFile.value, ...(wanted.knownHostsFile.open ? ['~/.ssh/known_hosts2'] : [])];
  return {
    knownHostsFiles: configured
      ? isNone(configured)
        ? []
        : expand(configured)
      : named.map((file) => expandHome(file, where)),
    globalKnownHostsFiles: global
      ? isNone(global)
        ? []
        : expand(global)
      : ['ssh_known_hosts', 'ssh_known_hosts2'].map((name) => path.join(system, name)),
  };
}

function knownHostsSource(wanted: Wanted, settings: Evaluated['settings']): string {
  const configured = wanted.knownHostsFile.open ? settings.get('userknownhostsfile') : undefined;
  return configured ? placeText(configured.place) : wanted.knownHostsFile.source;
}

function agentSocket(
  ssh: SshSettings,
  setting: Setting | undefined,
  expand: Expand,
  where: Surroundings,
): Sourced<string | null> {
  if (!ssh.agent) return { value: null, source: 'ssh.agent' };
  const named = setting?.values[0];
  if (setting === undefined || named === undefined || named === 'SSH_AUTH_SOCK')
    return { value: where.env.SSH_AUTH_SOCK || null, source: '$SSH_AUTH_SOCK' };
  const source = placeText(setting.place);
  if (named.toLowerCase() === 'none') return { value: null, source };
  const variable = /^\$(\w+)$/.exec(named)?.[1];
  if (variable !== undefined) return { value: where.env[variable] || null, source };
  return { value: expand(setting)[0] ?? null, source };
}
