import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import type { Cluster, SshSettings } from '../../../src/cluster/types.js';
import { createHosts, type Hosts, type RemoteHost } from '../../../src/hosts/index.js';
import { clusterOf } from '../cluster-fixture.js';
import { clientUnderTest, threadUnderTest } from './client.js';

const { Server, utils } = ssh2;

/**
 * A new Ed25519 key. ssh2 leaves out the first byte of a public half where it is zero, so one key in 256 is none that
 * OpenSSH can read; then another one is made.
 */
export function ed25519Key(encryption?: { passphrase: string; cipher: string; rounds: number }) {
  for (;;) {
    const key =
      encryption === undefined
        ? utils.generateKeyPairSync('ed25519')
        : utils.generateKeyPairSync('ed25519', encryption);
    const [, blob = ''] = key.public.split(' ');
    // Twice a length of four bytes, `ssh-ed25519`, and 32 bytes of key (RFC 8709).
    if (Buffer.from(blob, 'base64').length === 51) return key;
  }
}

export const HOST_KEYS = {
  ed25519: ed25519Key(),
  other: ed25519Key(),
  ecdsa: utils.generateKeyPairSync('ecdsa', { bits: 256 }),
};
export const LOGIN_KEY = ed25519Key();

/** `type base64` of a public key, as it stands in known_hosts. */
export function publicLine(key: { public: string }): string {
  return key.public.trim().split(' ').slice(0, 2).join(' ');
}

export type OnExec = (command: string, channel: ServerChannel, connection: Connection) => void;

export interface ServerOptions {
  hostKeys?: { private: string }[];
  /** What an exec request does. Default: runs the command with `sh -c`, as sshd does. */
  onExec?: OnExec;
  /** Sessions a connection beyond which another one is refused. */
  maxSessions?: number;
  /** Connections beyond which another one is closed at once. */
  maxConnections?: number;
  /** Environment for the commands that run. */
  env?: NodeJS.ProcessEnv;
  /** Who gets in. Default: whoever shows the login key. */
  authenticate?: (context: AuthContext) => void;
  /** Whether it forwards, as a bastion does. Default true; otherwise that is "administratively prohibited". */
  forwards?: boolean;
}

export function acceptLoginKey(context: AuthContext): void {
  const accepted = context.method === 'publickey' && context.key.data.equals(blobOf(LOGIN_KEY));
  if (accepted) context.accept();
  else context.reject(['publickey']);
}

/** An SSH server in this process that runs commands on this machine, with what tests need to see of it. */
export class SshServer {
  readonly port: number;
  readonly connections = new Set<Connection>();
  /** Connections taken since the start. */
  accepted = 0;
  sessions = 0;
  mostSessions = 0;
  /** Sessions refused since the start. */
  refused = 0;
  /** Connections that take no further session. */
  readonly #full = new Set<Connection>();
  readonly #server: InstanceType<typeof Server>;

  private constructor(server: InstanceType<typeof Server>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(options: ServerOptions = {}): Promise<SshServer> {
    const keys = options.hostKeys ?? [HOST_KEYS.ed25519];
    let started: SshServer | undefined;
    const server = new Server({ hostKeys: keys.map((key) => key.private) }, (connection) => {
      started?.take(connection, options);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    started = new SshServer(server);
    return started;
  }

  /** Drops every connection without a word, as a power cut does. */
  drop(): void {
    for (const connection of this.connections) socketOf(connection).destroy();
  }

  /** From now on the connections that there are take no session, as if all of theirs had leaked. */
  leak(): void {
    for (const connection of this.connections) this.#full.add(connection);
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  private take(connection: Connection, options: ServerOptions): void {
    connection.on('error', () => undefined);
    if (this.connections.size >= (options.maxConnections ?? Number.POSITIVE_INFINITY)) {
      socketOf(connection).destroy();
      return;
    }
    this.accepted += 1;
    this.connections.add(connection);
    connection.on('close', () => this.connections.delete(connection));
    connection.on('authentication', options.authenticate ?? acceptLoginKey);
    let open = 0;
    connection.on('session', (accept, reject) => {
      if (open >= (options.maxSessions ?? 10) || this.#full.has(connection)) {
        this.refused += 1;
        return reject();
      }
      open += 1;
      this.sessions += 1;
      this.mostSessions = Math.max(this.mostSessions, this.sessions);
      const session = accept();
      session.on('close', () => {
        open -= 1;
        this.sessions -= 1;
      });
      session.on('exec', (acceptExec, _reject, info) => {
        (options.onExec ?? runLocally(options.env))(info.command, acceptExec(), connection);
      });
    });
    if (options.forwards === false) return;
    connection.on('tcpip', (accept, refuse, info) => {
      // A bastion: forwards within this machine.
      const socket = connect(info.destPort, info.destIP);
      socket.on('error', () => refuse());
      socket.once('connect', () => {
        const stream = accept();
        stream.on('error', () => socket.destroy());
        socket.pipe(stream).pipe(socket);
      });
    });
  }
}

/** Says what a command's shells say before it runs, for a test whose server only pretends to run it. */
export function pretendToRun(command: string, channel: ServerChannel): void {
  if (command.includes('kubewright-open')) channel.write('kubewright-open 1\n');
  channel.write('kubewright-ready\n');
}

export function runLocally(env: NodeJS.ProcessEnv = process.env): OnExec {
  return (command, channel) => {
    const child = spawn('sh', ['-c', command], { env });
    channel.pipe(child.stdin);
    child.stdin.on('error', () => undefined);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.on('close', (code, signal) => {
      if (signal) channel.exit(signal.slice(3));
      else channel.exit(code ?? 255);
      // Not before everything was sent: a client that reads slowly keeps the window shut.
      channel.end(() => channel.close());
    });
  };
}

export function socketOf(connection: Connection): { destroy(): void } {
  return (connection as unknown as { _sock: { destroy(): void } })._sock;
}

export function blobOf(key: { public: string }): Buffer {
  return Buffer.from(key.public.split(' ')[1] ?? '', 'base64');
}

/** A home directory of its own with a login key and a known_hosts file, and hosts that lead to servers of this test. */
export class Surroundings {
  readonly home = mkdtempSync(path.join(tmpdir(), 'kubewright-hosts-'));
  readonly keyFile = path.join(this.home, 'id_ed25519');
  readonly knownHosts = path.join(this.home, 'known_hosts');
  readonly log: string[] = [];
  readonly #made: Hosts[] = [];

  constructor() {
    writeFileSync(this.keyFile, LOGIN_KEY.private, { mode: 0o600 });
  }

  trust(server: SshServer, key: { public: string } = HOST_KEYS.ed25519): void {
    writeFileSync(this.knownHosts, `[127.0.0.1]:${server.port} ${publicLine(key)}\n`, { flag: 'a' });
  }

  /** A cluster whose only host is at `port`. */
  cluster(port: number, ssh: Partial<SshSettings> = {}): Cluster {
    const cluster = clusterOf({ controlPlanes: 1, workers: 0 });
    for (const host of cluster.hosts) {
      host.ssh = {
        client: clientUnderTest(),
        address: '127.0.0.1',
        port,
        user: 'root',
        keyFiles: [this.keyFile],
        agent: false,
        configFile: null,
        knownHostsFile: this.knownHosts,
        hostKeys: 'strict',
        bastion: null,
        sudoPasswordEnv: null,
        ...ssh,
      };
    }
    return cluster;
  }

  host(port: number, ssh: Partial<SshSettings> = {}, env: NodeJS.ProcessEnv = {}): RemoteHost {
    const hosts = createHosts(this.cluster(port, ssh), {
      env,
      homeDirectory: this.home,
      log: (line) => this.log.push(line),
      thread: threadUnderTest(),
    });
    this.#made.push(hosts);
    return hosts.get('cp-1');
  }

  async end(): Promise<void> {
    await Promise.all(this.#made.map((hosts) => hosts.close()));
    rmSync(this.home, { recursive: true, force: true });
  }
}
