import path from 'node:path';
import type { ClusterHost, SshSettings } from '../../../cluster/types.js';
import { hostError } from '../../errors.js';

/**
 * One machine to log in to with the system's `ssh`. What is undefined here is left to the user's own configuration, which
 * `ssh` reads itself.
 */
export interface Hop {
  /** How messages call it: the host's name, or `bastion gate.example.com`. */
  label: string;
  /** What one would type after `ssh`: an address, or a `Host` of the configuration. */
  destination: string;
  port: number | undefined;
  user: string | undefined;
  /** The user where neither `cluster.yaml` nor the configuration names one. */
  defaultUser: string;
  /** Absolute paths; none: what the configuration names, else what `ssh` tries by itself. */
  keyFiles: string[];
  agent: boolean;
  knownHostsFile: string | undefined;
  hostKeys: SshSettings['hostKeys'];
  /** Absolute path of the user's configuration, or null for none. */
  configFile: string | null;
  /** Whether that is `~/.ssh/config`, beside which `ssh` reads the system's own, and which may be missing. */
  isUsualConfig: boolean;
}

/** As `DEFAULTS.ssh` of the cluster's schema: what the loader fills in where the user said nothing. */
const FILLED_IN = { user: 'root', port: 22, knownHostsFile: '~/.ssh/known_hosts' } as const;
const USUAL_CONFIG = '~/.ssh/config';

/**
 * The machines on the way to a host that `cluster.yaml` names, the host last. Whatever `cluster.yaml` sets wins, and the
 * user's configuration fills in what was left at its default, as with the other client; a ProxyJump or ProxyCommand there
 * is `ssh`'s own business and no hop of ours.
 *
 * @throws KubewrightError KW240 for a value that cannot be handed to `ssh` safely
 */
export function wayTo(host: ClusterHost, homeDirectory: string): Hop[] {
  const { ssh } = host;
  const hop = (label: string, wanted: Pick<SshSettings, 'address' | 'port' | 'user' | 'keyFiles' | 'pinned'>): Hop => {
    const isOpen = (name: keyof typeof FILLED_IN, value: string | number): boolean =>
      value === FILLED_IN[name] && !wanted.pinned?.includes(name);
    return {
      label,
      destination: checked(host.name, 'address', wanted.address),
      port: isOpen('port', wanted.port) ? undefined : wanted.port,
      user: isOpen('user', wanted.user) ? undefined : checked(host.name, 'user', wanted.user),
      defaultUser: FILLED_IN.user,
      keyFiles: wanted.keyFiles.map((file) => absolute(host.name, file, homeDirectory)),
      agent: ssh.agent,
      knownHostsFile: isOpen('knownHostsFile', ssh.knownHostsFile)
        ? undefined
        : absolute(host.name, ssh.knownHostsFile, homeDirectory),
      hostKeys: ssh.hostKeys,
      configFile: ssh.configFile === null ? null : absolute(host.name, ssh.configFile, homeDirectory),
      isUsualConfig: ssh.configFile === USUAL_CONFIG,
    };
  };
  const { bastion } = ssh;
  const last = hop(host.name, ssh);
  return bastion === null
    ? [last]
    : [
        hop(`bastion ${bastion.address}`, {
          ...bastion,
          pinned: ssh.pinned?.filter((name) => name === 'knownHostsFile'),
        }),
        last,
      ];
}

/**
 * The schema has checked these values; a cluster may come from elsewhere, and a leading dash would be an option of `ssh`,
 * such as one that runs a program.
 */
function checked(host: string, what: string, value: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.:@%-]*$/.test(value) && !(what === 'address' && /[@%]/.test(value))) return value;
  throw unsafe(host, `the ${what} ${JSON.stringify(value)}`);
}

/** Nothing that ends an option's value, a quoted word, or is one of `ssh`'s tokens or variables. */
function absolute(host: string, file: string, homeDirectory: string): string {
  const whole = path.resolve(homeDirectory, file.replace(/^~(?=\/|$)/, homeDirectory));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (/["'\\$\x00-\x1f\x7f]/.test(whole)) throw unsafe(host, `the path ${JSON.stringify(whole)}`);
  return whole;
}

function unsafe(host: string, what: string): Error {
  return hostError('sshConfiguration', `${what} cannot be handed to ssh`, {
    host,
    hint: 'Use letters, digits and ._- there, and no quotes, $ or line ends in a path.',
  });
}
