import type { ClusterHost, SshSettings } from '../../cluster/types.js';
import { hostError } from '../errors.js';
import { type Hop, localUser, makeHop, type Sourced, type Surroundings, type Wanted } from './hop.js';
import type { Evaluated, Setting } from './ssh-config/evaluate.js';
import { expandTokens } from './ssh-config/expand.js';
import { ConfigProblem, placeText } from './ssh-config/lines.js';
import { configSources, honouring, readSshConfig, SYSTEM_DIRECTORY } from './ssh-config/read.js';

/** The way to one host. The last hop is the host; the ones before are bastions, outermost first. */
export interface Target {
  host: string;
  hops: Hop[];
  sudoPasswordEnv: string | null;
}

/** What the loader fills in where the user said nothing; there `~/.ssh/config` may speak. */
const DEFAULTS = { user: 'root', port: 22, knownHostsFile: '~/.ssh/known_hosts' } as const;

/** Nobody has more jump hosts behind each other; tokens in their names could make any number. */
const MOST_HOPS = 8;

/**
 * Merges `cluster.yaml` with the OpenSSH configuration: whatever `cluster.yaml` sets wins, and the files fill in what was
 * left at its default. They are asked for `ssh.address`, that is for what one would type after `ssh`.
 *
 * @throws KubewrightError KW240 for a configuration that cannot be honoured, KW241 for jump hosts in a circle
 */
export function resolveTarget(host: ClusterHost, surroundings: Surroundings): Target {
  const router = new Router(host, surroundings);
  return {
    host: host.name,
    hops: honouring(host.name, () => router.wayTo()),
    sudoPasswordEnv: host.ssh.sudoPasswordEnv,
  };
}

/** One machine to reach, and what its place on the way says about it. */
interface Destination {
  wanted: Wanted;
  /** Who logs in where neither cluster.yaml nor the configuration says. */
  defaultUser: string;
}

class Router {
  readonly #ssh: SshSettings;
  /** What is being reached, outwards: a name that comes again closes a circle. */
  readonly #trail: string[] = [];

  constructor(
    private readonly host: ClusterHost,
    private readonly where: Surroundings,
  ) {
    this.#ssh = host.ssh;
  }

  /** All hops to the host, it included. */
  wayTo(): Hop[] {
    const destination = { wanted: this.#wantedHost(), defaultUser: DEFAULTS.user };
    const { bastion } = this.#ssh;
    return bastion === null
      ? this.#way(destination, 'cluster.yaml')
      : this.#way(destination, 'cluster.yaml', () => this.#way(this.#wantedBastion(bastion), 'ssh.bastion'));
  }

  /**
   * @param from key or line that names the destination
   * @param before the way to it, where that is not the configuration's
   */
  #way(destination: Destination, from: string, before?: () => Hop[]): Hop[] {
    const found = this.#lookUp(destination);
    const { port } = destination.wanted;
    const number = port.open ? (found.settings.get('port')?.values[0] ?? port.value) : port.value;
    return this.#within(`${destination.wanted.address}:${number}`, from, () => [
      ...(before?.() ?? this.#jumps(destination, found)),
      this.#hop(destination, found),
    ]);
  }

  /** The jump hosts before a destination. Of a list the first is reached its own way, each other one through those before. */
  #jumps(destination: Destination, found: Evaluated): Hop[] {
    const proxy = found.settings.get('proxy');
    if (proxy === undefined) return [];
    const value = (proxy.values[0] ?? '').trim();
    if (value.toLowerCase() === 'none') return [];
    if (proxy.keyword === 'proxycommand')
      throw new ConfigProblem(proxy.place, 'ProxyCommand names a program, and the built-in client runs none', true);
    const [first, ...rest] = value.split(',').map((jump) => this.#jump(jump.trim(), destination, found, proxy));
    if (first === undefined) return [];
    return [...this.#way(first, placeText(proxy.place)), ...rest.map((each) => this.#hop(each, this.#lookUp(each)))];
  }

  #within<T>(name: string, from: string, act: () => T): T {
    const isCircle = this.#trail.includes(name);
    this.#trail.push(name);
    if (isCircle || this.#trail.length > MOST_HOPS) {
      const what = isCircle ? 'lead in a circle' : `are more than ${MOST_HOPS}`;
      throw hostError(
        'routeCircular',
        `the jump hosts ${what}: ${this.#trail.join(' → ').replace(/:22\b/g, '')} (${from})`,
        {
          host: this.host.name,
          hint: 'Mend ProxyJump there: a jump host that `Host *` covers as well needs `ProxyJump none` of its own.',
        },
      );
    }
    const result = act();
    this.#trail.pop();
    return result;
  }

  #lookUp({ wanted, defaultUser }: Destination): Evaluated {
    const { homeDirectory, env, systemSshDirectory = SYSTEM_DIRECTORY } = this.where;
    const query = {
      host: wanted.address,
      user: wanted.user.open ? undefined : wanted.user.value,
      defaultUser,
      localUser: localUser(this.where),
      homeDirectory,
      env,
    };
    const sources = configSources(this.#ssh.configFile, homeDirectory, systemSshDirectory);
    return readSshConfig(sources, query, this.host.name);
  }

  #hop({ wanted }: Destination, found: Evaluated): Hop {
    return makeHop(this.#ssh, wanted, found, this.where);
  }

  #wantedHost(): Wanted {
    const { address, user, port, keyFiles } = this.#ssh;
    const isPinned = (name: keyof typeof DEFAULTS): boolean => this.#ssh.pinned?.includes(name) ?? false;
    return {
      label: this.host.name,
      address,
      user: orOpen(user, 'user', 'ssh.user', isPinned('user')),
      port: orOpen(port, 'port', 'ssh.port', isPinned('port')),
      keyFiles: keyFiles.map((value) => ({ value, source: 'ssh.keyFiles' })),
      knownHostsFile: this.#knownHostsFile(),
    };
  }

  #wantedBastion({ address, user, port, keyFiles }: NonNullable<SshSettings['bastion']>): Destination {
    const wanted = {
      label: `bastion ${address}`,
      address,
      user: orOpen(user, 'user', 'ssh.bastion.user'),
      port: orOpen(port, 'port', 'ssh.bastion.port'),
      keyFiles: keyFiles.map((value) => ({ value, source: 'ssh.bastion.keyFiles' })),
      knownHostsFile: this.#knownHostsFile(),
    };
    return { wanted, defaultUser: DEFAULTS.user };
  }

  #knownHostsFile(): Wanted['knownHostsFile'] {
    const isPinned = this.#ssh.pinned?.includes('knownHostsFile');
    return orOpen(this.#ssh.knownHostsFile, 'knownHostsFile', 'ssh.knownHostsFile', isPinned);
  }

  /** `[user@]host[:port]`, as in ssh_config(5) ProxyJump. */
  #jump(text: string, { wanted, defaultUser }: Destination, found: Evaluated, { place }: Setting): Destination {
    const user = wanted.user.open ? (found.settings.get('user')?.values[0] ?? defaultUser) : wanted.user.value;
    const port = wanted.port.open ? (found.settings.get('port')?.values[0] ?? wanted.port.value) : wanted.port.value;
    const tokens = { h: found.hostName, n: wanted.address, p: String(port), r: user };
    const jump = expandTokens(text, tokens, place);
    const parts = /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:@/]+)(?::(\d+))?\/?$/.exec(jump);
    if (!parts?.[2])
      throw new ConfigProblem(place, `cannot read the jump host ${JSON.stringify(jump)}: [user@]host[:port]`);
    const address = parts[2].replace(/^\[(.*)\]$/, '$1');
    const source = placeText(place);
    const local = localUser(this.where);
    return {
      defaultUser: local,
      wanted: {
        label: `bastion ${address}`,
        address,
        user: given(parts[1], local, source),
        port: given(parts[3] === undefined ? undefined : Number(parts[3]), DEFAULTS.port, source),
        keyFiles: [],
        knownHostsFile: this.#knownHostsFile(),
      },
    };
  }
}

/** A value that the configuration may replace while it is the default and nobody wrote it out. */
function orOpen<T extends string | number>(
  value: T,
  name: keyof typeof DEFAULTS,
  key: string,
  isPinned = false,
): Sourced<T> & { open: boolean } {
  const open = value === (DEFAULTS[name] as string | number) && !isPinned;
  return { value, source: open ? 'default' : key, open };
}

function given<T>(value: T | undefined, fallback: T, source: string): Sourced<T> & { open: boolean } {
  return value === undefined ? { value: fallback, source: 'default', open: true } : { value, source, open: false };
}
