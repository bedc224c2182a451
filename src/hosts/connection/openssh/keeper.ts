import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';

/**
 * Waits on its standard input, a pipe from the worker, and ends what the worker has not: a worker that was killed with -9
 * tells nobody, but its pipe closes. Lines are `+ PID` and `- PID`, each the leader of a process group, for a ProxyCommand may
 * outlive its `ssh`; the directory is the first argument.
 */
const SCRIPT = `
trap '' HUP INT TERM
pids=
while read -r verb pid; do
  case $verb in
  +) pids="$pids $pid" ;;
  -)
    rest=
    for each in $pids; do [ "$each" = "$pid" ] || rest="$rest $each"; done
    pids=$rest
    ;;
  esac
done
for each in $pids; do kill -s TERM -- "-$each"; done
rm -rf -- "$1"
`;

/**
 * A UNIX socket's path has at most 104 bytes on macOS and 108 on Linux, its final NUL included, and ssh first binds the
 * control socket under its name with a dot and 16 letters more.
 */
const LONGEST_DIRECTORY = 104 - 1 - 17 - '/1234567.ctl'.length;

/**
 * A directory of this process for control sockets and configurations, 0700, and a small process that sees to it that no
 * `ssh` outlives the worker.
 */
export class Keeper {
  readonly directory: string;
  readonly #pids = new Set<number>();
  #process: ChildProcess | undefined;
  #names = 0;
  #closed = false;

  constructor(env: NodeJS.ProcessEnv) {
    this.directory = makeDirectory(env.TMPDIR ?? tmpdir());
  }

  path(name: string): string {
    return path.join(this.directory, name);
  }

  /** A name for a control socket that no other has. */
  socket(): string {
    this.#names += 1;
    return this.path(`${this.#names}.ctl`);
  }

  /** Cleaners of temporary files take a directory in which nothing changes for days. */
  ensureDirectory(): void {
    if (!existsSync(this.directory)) mkdirSync(this.directory, { mode: 0o700 });
  }

  /** From now on `child` does not outlive the worker. */
  keep(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.#pids.add(pid);
    this.#tell(`+ ${pid}\n`);
    child.once('exit', () => {
      this.#pids.delete(pid);
      this.#tell(`- ${pid}\n`);
    });
  }

  /** Ends the watch, and takes the directory away. */
  close(): void {
    this.#closed = true;
    this.#process?.stdin?.end();
    this.#process = undefined;
    rmSync(this.directory, { recursive: true, force: true });
  }

  #tell(line: string): void {
    if (this.#process === undefined) this.#start();
    else this.#process.stdin?.write(line);
  }

  /** Also again, should somebody have ended it: it hears then of all that are kept. */
  #start(): void {
    if (this.#closed || this.#pids.size === 0) return;
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'kubewright-ssh-keeper', this.directory], {
      env: { PATH: '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
      // A session of its own: whatever ends the worker's process group must leave it its last task.
      detached: true,
    });
    const forget = (): void => {
      if (this.#process === child) this.#process = undefined;
    };
    child.once('error', forget);
    child.once('exit', forget);
    child.stdin.on('error', forget);
    this.#process = child;
    // It waits for this process; this process does not wait for it.
    child.unref();
    (child.stdin as Writable & { unref?(): void }).unref?.();
    child.stdin.write([...this.#pids].map((pid) => `+ ${pid}\n`).join(''));
  }
}

function makeDirectory(preferred: string): string {
  const isUsable = (directory: string): boolean =>
    // What ssh would read as a token, or a shell as something of its own, has no place in these paths.
    /^\/[A-Za-z0-9_./+-]*$/.test(directory) && directory.length + '/kw-123456'.length <= LONGEST_DIRECTORY;
  return mkdtempSync(path.join(isUsable(preferred) ? preferred : '/tmp', 'kw-'));
}
