import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { messageOf } from '../../../errors.js';
import { hostError } from '../../errors.js';

/**
 * What is handed to `ssh`, and so to the programs that the user's configuration names. The worker's environment may hold
 * passwords (`ssh.sudoPasswordEnv`, Temporal's keys) that are nobody else's business.
 */
const HANDED_OVER = [
  'HOME',
  'PATH',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'SSH_AUTH_SOCK',
  'SSH_SK_HELPER',
  'SSH_PKCS11_HELPER',
  'KRB5CCNAME',
  'KRB5_CONFIG',
] as const;

/**
 * The environment of every `ssh` that is started. English messages, for they are read; no question can appear anywhere:
 * nobody would see it, and the step would wait for ever.
 */
export function environmentFor(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const chosen = Object.fromEntries(
    HANDED_OVER.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  return { PATH: process.env.PATH, ...chosen, LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never' };
}

export interface Version {
  major: number;
  minor: number;
  /** As the program calls itself, such as `OpenSSH_9.2p1`. */
  text: string;
}

/**
 * 8.0 (2019) is in Debian 11 and RHEL 8 and later. Older ones lack `StrictHostKeyChecking=accept-new` (7.6) or have the
 * multiplexing bugs that 8.0 mended.
 */
const OLDEST = { major: 8, minor: 0 };

/** @returns undefined for what is not OpenSSH */
export function parseVersion(words: string): Version | undefined {
  const found = /\b(OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)\S*?)[,\s]/.exec(`${words} `);
  return found?.[1] ? { major: Number(found[2]), minor: Number(found[3]), text: found[1] } : undefined;
}

export function isAtLeast(version: Version, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

/** Collected output of a program that says a few lines. */
export interface Said {
  /** Null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a program without a shell and without a terminal. @throws KubewrightError KW270, KW272 */
export function start(
  program: string,
  args: readonly string[],
  context: { env: NodeJS.ProcessEnv; host: string; stdio: SpawnOptions['stdio'] },
): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      // A session of its own: Ctrl-C in the worker's terminal is for the worker, which then ends its connections in order.
      child = spawn(program, [...args], { env: context.env, stdio: context.stdio, detached: true });
    } catch (error) {
      reject(notStarted(program, context.host, error));
      return;
    }
    child.once('spawn', () => resolve(child));
    child.once('error', (error) => reject(notStarted(program, context.host, error)));
  });
}

/** Signals a program and what it has started: each leads a process group of its own. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It ended this very moment.
  }
}

function notStarted(program: string, host: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return hostError('opensshMissing', `ssh.client is openssh, and there is no ${program} on the worker's machine`, {
      host,
      hint: 'Install the OpenSSH client there (Debian: openssh-client) and see that the worker has it in its PATH, or set `ssh.client: ssh2`.',
      cause: error,
    });
  }
  return hostError('opensshUnusable', `${program} cannot be started on the worker's machine: ${messageOf(error)}`, {
    host,
    hint: 'Look at the limits of the worker (processes, open files) and at the permissions of that program.',
    cause: error,
  });
}

interface Asking {
  env: NodeJS.ProcessEnv;
  host: string;
  /** Default 20 000. */
  timeoutMs?: number;
  /** Ends the program; the answer is then what it said so far. */
  signal?: AbortSignal;
  started?: (child: ChildProcess) => void;
}

/** Runs a program that ends by itself and says a few lines. @throws KubewrightError KW270, KW272 */
export async function ask(program: string, args: readonly string[], asking: Asking): Promise<Said> {
  const child = await start(program, args, { ...asking, stdio: ['ignore', 'pipe', 'pipe'] });
  asking.started?.(child);
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    if (said.stdout.length < 65_536) said.stdout += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    if (said.stderr.length < 65_536) said.stderr += chunk.toString('utf8');
  });
  const end = (): void => signalGroup(child, 'SIGKILL');
  const timer = setTimeout(end, asking.timeoutMs ?? 20_000);
  asking.signal?.addEventListener('abort', end, { once: true });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  asking.signal?.removeEventListener('abort', end);
  return { code, ...said };
}

/** Which `ssh` this is. @throws KubewrightError KW270 when there is none, KW271 when it is too old or another's */
export async function checkProgram(env: NodeJS.ProcessEnv, host: string): Promise<Version> {
  const { stdout, stderr } = await ask('ssh', ['-V'], { env, host });
  const words = `${stderr}${stdout}`.trim();
  const version = parseVersion(words);
  if (version && isAtLeast(version, OLDEST.major, OLDEST.minor)) return version;
  const found = version?.text ?? (words.split('\n')[0] || 'a program that does not say its version');
  throw hostError(
    'opensshTooOld',
    `ssh.client is openssh, and the ssh of the worker's machine is ${found.slice(0, 100)}`,
    {
      host,
      hint: `OpenSSH ${OLDEST.major}.${OLDEST.minor} or newer is needed there; or set \`ssh.client: ssh2\`.`,
    },
  );
}
