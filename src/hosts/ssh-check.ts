import { homedir } from 'node:os';
import pLimit from 'p-limit';
import type { Cluster, ClusterHost } from '../cluster/types.js';
import { isKubewrightError, type KubewrightError } from '../errors.js';
import type { Hop, Surroundings } from './connection/hop.js';
import { entriesOf, nameOf } from './connection/host-keys.js';
import { type Credentials, readCredentials } from './connection/identities.js';
import { fingerprint, type KnownHostEntry } from './connection/known-hosts.js';
import { type Hop as OpensshHop, wayTo } from './connection/openssh/way.js';
import { resolveTarget } from './connection/target.js';
import { createHosts } from './index.js';

/** A value, and which key of cluster.yaml or line of an SSH configuration gave it. */
export interface Sourced<T> {
  /** The value. */
  value: T;
  /** Who gave it. */
  source: string;
}

/** One machine on the way to a host, as it would be logged in to. What `ssh` itself decides is left out. */
export interface HopReport {
  /** The host's name, or `bastion gate`. */
  name: string;
  /** Name or address that is dialled. */
  address: Sourced<string>;
  /** Port that is dialled. */
  port?: Sourced<number>;
  /** User that logs in. */
  user?: Sourced<string>;
  /** Socket of the SSH agent; null for none. */
  agent?: Sourced<string | null>;
  /** Keys in the order in which they are offered. */
  keys: {
    /** Type and fingerprint, or why it cannot be used. */
    key: string;
    /** File, or the agent. */
    from: string;
    /** Who named it. */
    source: string;
  }[];
  /** What was found and is not offered, and why. */
  leftOut: string[];
  /** Under which name the host key is looked up, where, and what is on file. */
  hostKey?: {
    /** Name that is looked up. */
    name: string;
    /** Files in which it is looked for. */
    files: string[];
    /** Who named them. */
    source: string;
    /** Keys on file, by type and fingerprint. */
    known: string[];
  };
}

/** How one host is reached, and what came of it. */
export interface SshReport {
  /** Name of the host. */
  host: string;
  /** Which client reaches it: the one that is built in, or this machine's `ssh`. */
  client: 'ssh2' | 'openssh';
  /** Outermost first; the last one is the host. */
  hops: HopReport[];
  /** How commands become root there. */
  sudo: string;
  /** Absent when no login was tried: with `offline`, or because of `problem`. */
  login?: {
    /** How long it took, milliseconds. */
    durationMs: number;
  };
  /** What is in the way. */
  problem?: KubewrightError;
}

export interface SshCheckOptions extends Partial<Surroundings> {
  /** Only says what would be done. */
  offline: boolean;
}

/** Logins side by side: a worker's own connections are as many. */
const AT_ONCE = 20;

/** A login with several hops, sudo's question and a slow directory. */
const LOGIN_MS = 60_000;

/** Says for each host of a cluster how it is reached and why, and tries it. Nothing is changed. Never throws for a host. */
export async function checkSsh(cluster: Cluster, options: SshCheckOptions): Promise<SshReport[]> {
  const where = {
    env: options.env ?? process.env,
    homeDirectory: options.homeDirectory ?? homedir(),
    ...systemOf(options),
  };
  const hosts = createHosts(cluster, where);
  const limit = pLimit(AT_ONCE);
  try {
    return await Promise.all(
      cluster.hosts.map((host) =>
        limit(async () => {
          const report = await describe(host, where);
          if (options.offline || report.problem !== undefined) return report;
          const started = performance.now();
          const problem = await problemOf(() => hosts.get(host.name).run('true', { timeoutMs: LOGIN_MS }));
          return problem
            ? { ...report, problem }
            : { ...report, login: { durationMs: Math.round(performance.now() - started) } };
        }),
      ),
    );
  } finally {
    await hosts.close();
  }
}

function systemOf({ systemSshDirectory }: Partial<Surroundings>): Partial<Surroundings> {
  return systemSshDirectory === undefined ? {} : { systemSshDirectory };
}

async function problemOf(act: () => Promise<unknown>): Promise<KubewrightError | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (isKubewrightError(error)) return error;
    throw error;
  }
}

async function describe(host: ClusterHost, where: Surroundings): Promise<SshReport> {
  const hops: HopReport[] = [];
  const problem = await problemOf(async () => {
    if (host.ssh.client === 'openssh') {
      hops.push(...wayTo(host, where.homeDirectory).map(describeOpenssh));
      return;
    }
    for (const hop of resolveTarget(host, where).hops) {
      const report = describeHop(hop);
      hops.push(report);
      addCredentials(report, await readCredentials(hop, host.name));
      addHostKey(report, hop, entriesOf(hop, host.name));
    }
  });
  const user = hops.at(-1)?.user?.value;
  return {
    host: host.name,
    client: host.ssh.client ?? 'ssh2',
    hops,
    sudo: sudoWords(user, host.ssh.sudoPasswordEnv, where.env),
    ...(problem && { problem }),
  };
}

function describeHop({ label, address, port, user, agent, sources }: Hop): HopReport {
  return {
    name: label,
    address: { value: address, source: sources.address },
    port: { value: port, source: sources.port },
    user: { value: user, source: sources.user },
    agent: { value: agent, source: sources.agent },
    keys: [],
    leftOut: [],
  };
}

function addCredentials(report: HopReport, { offers, passedOver, needsOpenSsh }: Credentials): void {
  report.keys.push(...offers.map(({ key, from, source }) => ({ key, from, source })));
  report.leftOut.push(...needsOpenSsh, ...passedOver);
}

function addHostKey(report: HopReport, hop: Hop, entries: KnownHostEntry[]): void {
  const known = entries.map(({ file, line, marker, keyType, key }) => {
    const mark = marker === undefined ? '' : `@${marker} `;
    return `${mark}${keyType} ${fingerprint(key)} (${file}:${line})`;
  });
  const files = [...hop.knownHostsFiles, ...hop.globalKnownHostsFiles];
  report.hostKey = { name: nameOf(hop), files, source: hop.sources.knownHosts, known };
}

/** Of this way only cluster.yaml's part is ours; the rest is what `ssh -G` says. */
function describeOpenssh({ label, destination, port, user, keyFiles }: OpensshHop): HopReport {
  return {
    name: label,
    address: { value: destination, source: 'cluster.yaml' },
    ...(port !== undefined && { port: { value: port, source: 'ssh.port' } }),
    ...(user !== undefined && { user: { value: user, source: 'ssh.user' } }),
    keys: keyFiles.map((file) => ({ key: 'as ssh reads it', from: `key ${file}`, source: 'ssh.keyFiles' })),
    leftOut: [],
  };
}

function sudoWords(user: string | undefined, variable: string | null, env: NodeJS.ProcessEnv): string {
  if (user === 'root') return 'not needed: root logs in';
  if (variable === null) return 'without a password (ssh.sudoPasswordEnv names none)';
  return `with the password in $${variable}, which is ${env[variable] ? 'set' : 'not set here'}, where sudo wants one`;
}
