import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'vitest';
import { eventually } from '../../eventually.js';
import { notRunHere } from '../../not-run.js';

const SSHD = '/usr/sbin/sshd';

export function hasProgram(program: 'ssh' | 'sshd'): boolean {
  return program === 'sshd' ? existsSync(SSHD) : spawnSync('ssh', ['-V']).error === undefined;
}

/** Skips, and says so, where the OpenSSH client (and, for `sshd`, its server) is not installed. */
export function needsOpenssh(context: TestContext, program: 'ssh' | 'sshd' = 'sshd'): void {
  if (!hasProgram('ssh')) notRunHere(context, 'there is no ssh');
  if (!hasProgram(program)) notRunHere(context, `there is no ${SSHD}`);
}

export function generateKey(file: string, ...args: string[]): void {
  run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', path.basename(file), '-f', file, ...args);
}

/** Signs a public key, as a certificate authority does: `FILE-cert.pub` appears beside it. */
export function sign(authority: string, publicKey: string, principals: string, ...args: string[]): void {
  run('ssh-keygen', '-q', '-s', authority, '-I', 'test', '-n', principals, ...args, publicKey);
}

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** OpenSSH's own server on a free port of the loopback, with a configuration, host key and login key of its own. */
export class Sshd {
  readonly user = userInfo().username;
  /** Private half of the login key. */
  readonly keyFile: string;
  readonly hostKey: string;
  port = 0;
  #process: ChildProcess | undefined;

  private constructor(readonly directory: string) {
    this.keyFile = path.join(directory, 'login');
    this.hostKey = path.join(directory, 'host');
  }

  /** @param prepare makes what the configuration names; it returns lines for sshd_config, the first one counts */
  static async start(prepare: (sshd: Sshd) => string = () => ''): Promise<Sshd> {
    // sshd does not take keys below a directory that others may write to, unless it is told to.
    const sshd = new Sshd(mkdtempSync(path.join(tmpdir(), 'kubewright-sshd-')));
    generateKey(sshd.keyFile);
    generateKey(sshd.hostKey);
    await sshd.#listen(prepare(sshd));
    return sshd;
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  /** The entry for known_hosts. */
  get knownAs(): string {
    return `[127.0.0.1]:${this.port} ${readFileSync(`${this.hostKey}.pub`, 'utf8')}`;
  }

  /** What sshd has written so far. */
  get log(): string {
    return readFileSync(this.file('sshd.log'), 'utf8');
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #listen(lines: string): Promise<void> {
    this.port = await freePort();
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
    const config = `${lines}
Port ${this.port}
ListenAddress 127.0.0.1
HostKey ${this.hostKey}
AuthorizedKeysFile ${this.keyFile}.pub
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
LogLevel VERBOSE
`;
    writeFileSync(this.file('sshd_config'), config);
    this.#process = spawn(SSHD, ['-D', '-f', this.file('sshd_config'), '-E', this.file('sshd.log')], {
      stdio: 'ignore',
    });
    await eventually(() => answers(this.port), `sshd answers on port ${this.port}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
