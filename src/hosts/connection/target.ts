import path from 'node:path';
import type { ClusterHost, SshSettings } from '../../cluster/types.js';
import { hostError } from '../errors.js';
import { readSshConfig, type SshConfigEntry } from './ssh-config.js';

/** One machine on the way to a host: the host itself, or a bastion. Everything needed to dial it. */
export interface Hop {
  /** How messages call it: `bastion gate.example.com`, or the host's address. */
  label: string;
  address: string;
  port: number;
  user: string;
  /** `required`: cluster.yaml names these files, so each must be usable; otherwise those that are there are taken. */
  identities: { files: string[]; required: boolean; only: boolean };
  /** Path of the agent's socket, or null. */
  agent: string | null;
  /** Files to look the key up in; the first one takes new keys. */
  knownHostsFiles: string[];
  /** Name to look up in known_hosts instead of the address. */
  hostKeyAlias?: string;
  hostKeys: SshSettings['hostKeys'];
}

/** The way to one host. The last hop is the host; the ones before are bastions, outermost first. */
export interface Target {
  host: string;
  hops: Hop[];
  sudoPasswordEnv: string | null;
}

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  homeDirectory: string;
}

/** What the loader fills in where the user said nothing; there `~/.ssh/config` may speak. */
const DEFAULTS = { user: 'root', port: 22, knownHostsFile: '~/.ssh/known_hosts' } as const;
const DEFAULT_CONFIG_FILE = '~/.ssh/config';

/** `ssh` tries these when nothing else is named (ssh_config(5), IdentityFile). */
const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/**
 * Merges `cluster.yaml` with `~/.ssh/config`: whatever `cluster.yaml` sets wins, and the configuration file fills in
 * what was left at its default. The file is asked for `ssh.address`, that is for what one would type after `ssh`.
 *
 * @throws KubewrightError KW240 for a configuration that cannot be honoured
 */
export function resolveTarget(host: ClusterHost, surroundings: Surroundings): Target {
  const { ssh } = host;
  const lookUp = (address: string, user?: string): SshConfigEntry =>
    readSshConfig(
      ssh.configFile === null ? null : expandHome(ssh.configFile, surroundings),
      { host: address, user },
      {
        hostName: host.name,
        homeDirectory: surroundings.homeDirectory,
        mayBeMissing: ssh.configFile === DEFAULT_CONFIG_FILE,
      },
    );
  const entry = lookUp(ssh.address, ssh.user === DEFAULTS.user ? undefined : ssh.user);
  const last = makeHop(ssh, ssh, entry, `${host.name}`, surroundings);
  return {
    host: host.name,
    hops: [...bastions(host, entry, lookUp, surroundings), last],
    sudoPasswordEnv: ssh.sudoPasswordEnv,
  };
}

interface Wanted {
  address: string;
  port: number;
  user: string;
  keyFiles: string[];
  pinned?: SshSettings['pinned'];
}

function makeHop(ssh: SshSettings, wanted: Wanted, entry: SshConfigEntry, label: string, where: Surroundings): Hop {
  const address = entry.hostName?.replaceAll('%h', wanted.address).replaceAll('%%', '%') ?? wanted.address;
  const isOpen = (name: keyof typeof DEFAULTS, value: string | number): boolean =>
    value === DEFAULTS[name] && !wanted.pinned?.includes(name);
  const user = isOpen('user', wanted.user) ? (entry.user ?? wanted.user) : wanted.user;
  const port = isOpen('port', wanted.port) ? (entry.port ?? wanted.port) : wanted.port;
  const configured = entry.identityFiles.map((file) => tokens(file, { address, user, port }, where));
  const usual = configured.length > 0 ? configured : DEFAULT_IDENTITIES.map((name) => `~/.ssh/${name}`);
  const required = wanted.keyFiles.length > 0;
  const files = required ? wanted.keyFiles : usual;
  const known =
    isOpen('knownHostsFile', ssh.knownHostsFile) && entry.userKnownHostsFiles.length > 0
      ? entry.userKnownHostsFiles
      : [ssh.knownHostsFile];
  return {
    label,
    address,
    port,
    user,
    identities: { files: files.map((file) => expandHome(file, where)), required, only: entry.identitiesOnly },
    agent: agentSocket(ssh, entry, where),
    knownHostsFiles: known.map((file) => expandHome(file, where)),
    hostKeyAlias: entry.hostKeyAlias,
    hostKeys: ssh.hostKeys,
  };
}

type LookUp = (address: string, user?: string) => SshConfigEntry;

function bastions(host: ClusterHost, entry: SshConfigEntry, lookUp: LookUp, where: Surroundings): Hop[] {
  const { ssh } = host;
  if (ssh.bastion !== null) {
    const { bastion } = ssh;
    return [makeHop(ssh, bastion, lookUp(bastion.address), `bastion ${bastion.address}`, where)];
  }
  if (entry.proxyJump !== undefined && entry.proxyJump.toLowerCase() !== 'none') {
    return entry.proxyJump.split(',').map((jump) => jumpHop(host, jump.trim(), lookUp, where));
  }
  if (entry.proxyCommand !== undefined && entry.proxyCommand.toLowerCase() !== 'none') {
    throw hostError('sshConfiguration', 'the SSH configuration names a ProxyCommand, which is not run', {
      host: host.name,
      hint: 'Use ProxyJump there, or `ssh.bastion` in cluster.yaml.',
    });
  }
  return [];
}

/** `[user@]host[:port]`, as in ssh_config(5) ProxyJump. */
function jumpHop(host: ClusterHost, jump: string, lookUp: LookUp, where: Surroundings): Hop {
  const parts = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(jump);
  if (!parts?.[2]) {
    throw hostError('sshConfiguration', `cannot read the ProxyJump ${JSON.stringify(jump)}`, {
      host: host.name,
      hint: 'It is written [user@]host[:port].',
    });
  }
  const address = parts[2].replace(/^\[(.*)\]$/, '$1');
  const entry = lookUp(address, parts[1]);
  const wanted = {
    address,
    user: parts[1] ?? entry.user ?? where.env.USER ?? DEFAULTS.user,
    port: Number(parts[3] ?? DEFAULTS.port),
    keyFiles: [],
  };
  const hop = makeHop(host.ssh, wanted, entry, `bastion ${address}`, where);
  return parts[1] === undefined ? hop : { ...hop, user: parts[1] };
}

function agentSocket(ssh: SshSettings, entry: SshConfigEntry, where: Surroundings): string | null {
  if (!ssh.agent) return null;
  const named = entry.identityAgent;
  if (named === undefined || named === 'SSH_AUTH_SOCK') return where.env.SSH_AUTH_SOCK || null;
  if (named.toLowerCase() === 'none') return null;
  if (named.startsWith('$')) return where.env[named.replace(/^\$\{?(\w+)\}?$/, '$1')] || null;
  return expandHome(named, where);
}

/** The tokens of ssh_config(5) that make sense in IdentityFile. */
function tokens(file: string, hop: { address: string; user: string; port: number }, where: Surroundings): string {
  const values: Record<string, string> = {
    '%%': '%',
    '%d': where.homeDirectory,
    '%h': hop.address,
    '%r': hop.user,
    '%p': String(hop.port),
    '%u': where.env.USER ?? '',
  };
  return file.replace(/%[%dhrpu]/g, (token) => values[token] ?? token);
}

function expandHome(file: string, where: Surroundings): string {
  return path.resolve(where.homeDirectory, file.replace(/^~(?=\/|$)/, where.homeDirectory));
}
