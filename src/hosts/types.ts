/** What the layers above see of a host. `ssh2` and its errors stay behind this line. */

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  durationMs: number;
}

export interface RunOptions {
  /** Bytes for the script's standard input, which is empty otherwise. */
  input?: string | Buffer;
  /** Default 30 000. Longer work belongs into `runDurable`. */
  timeoutMs?: number;
  /** Run as root (through sudo where the login user is not root). Default true. */
  root?: boolean;
  /** Return a non-zero exit instead of throwing. Default false. */
  allowFailure?: boolean;
  /** Detaches; it does not end what runs on the host. */
  signal?: AbortSignal;
}

/** A command that outlives its connection: a named transient systemd unit on the host. */
export interface DurableCommand {
  /**
   * Who it is: workflow id, step id and a part's name, such as `cluster/demo:cp-2/join:kubeadm`. The unit's name derives
   * from it, so whoever asks again with the same id finds the running unit.
   */
  id: string;
  /**
   * Which attempt asks: the workflow's run and the try. A failure that nobody got answers only the attempt that began the
   * unit: yesterday's is not today's first try. A success that nobody got answers whoever asks with the same script, for
   * what it did is done; a running unit is followed by any. Default: one attempt for all.
   */
  attempt?: string;
  /** Bash, run with `set -euo pipefail`. `$KUBEWRIGHT_SECRETS` is the directory of the secret files. Holds no secrets. */
  script: string;
  /**
   * Bash that runs right before the script, in the same shell, and is no part of what tells two commands apart: it may
   * differ with each attempt, as a fence does, and a success of another attempt is still found.
   */
  guard?: string;
  /** Bound on the unit's run time (RuntimeMaxSec). */
  timeoutSeconds: number;
  /**
   * Called only when no unit of this id is running: mints what the command needs. Each entry becomes a 0600 file in
   * `$KUBEWRIGHT_SECRETS` (below /run, removed by the unit itself when it ends).
   */
  secrets?: () => Promise<Record<string, string | Buffer>>;
  /** Each complete, redacted line of output as it appears. */
  onOutput?: (line: string) => void;
  /** Detaches; the unit goes on. */
  signal?: AbortSignal;
}

export interface DurableResult {
  exitCode: number;
  /** systemd's $SERVICE_RESULT: success, exit-code, timeout, signal, oom-kill … */
  result: string;
  /** Last lines, redacted, at most 8 KiB. */
  output: string;
  /** True when a running unit was found and followed, or its undelivered result picked up. */
  reattached: boolean;
  durationMs: number;
}

export interface WriteOptions {
  /** Default 0o644. */
  mode?: number;
  /** `user:group`, default `root:root`. */
  owner?: string;
  /**
   * Keep what was there before Kubewright: the first time a file not written by Kubewright is replaced, it is copied to
   * `<path>.kubewright-backup-<UTC time>`. Default true.
   */
  backup?: boolean;
  /** Called when something was kept: the path, and the name of the copy. */
  onBackup?: (path: string, copy: string) => void;
}

export interface Upload {
  /** Path on the worker's machine. */
  source: string;
  /** Absolute path on the host. */
  target: string;
  /** Of the file as the host shall have it, as `size` is. */
  sha256: string;
  /** Bytes. */
  size: number;
  mode: number;
  /** That the source holds the file packed by gzip: what the source's own sum and size are. The host unpacks it. */
  packed?: { sha256: string; size: number } | undefined;
}

export interface UploadOptions {
  signal?: AbortSignal;
  /** What is being sent, or waited for. */
  onProgress?: (line: string) => void;
  /** Called when a file that Kubewright had not put there was replaced: its path, and the name under which it was kept. */
  onBackup?: (path: string, copy: string) => void;
}

export interface RemoteHost {
  readonly name: string;
  readonly address: string;
  /**
   * Runs a bash script given on standard input (never in argv) and waits for it. For what takes a moment: 10 to 20 ms
   * on a local network, so many small checks belong into one script. Runs in `/` with `LC_ALL=C`, umask 022 and a PATH with
   * sbin, without `set -e`. Output is given as it is (unlike an error's, it is not redacted), at most 32 MiB of it.
   * @throws KubewrightError KW41x when it exits non-zero (unless allowed), KW2xx when the connection breaks (transient)
   */
  run(script: string, options?: RunOptions): Promise<CommandResult>;
  /**
   * Starts, or re-attaches to, a named unit, follows its output and returns its end once. A non-zero exit is returned,
   * not thrown. @throws KubewrightError KW42x (transient) when the unit was lost or the host rebooted meanwhile
   */
  runDurable(command: DurableCommand): Promise<DurableResult>;
  /** Ends a running unit; only `abort` does this. Returns whether one was running. */
  stopDurable(id: string): Promise<boolean>;
  /** Ends every running unit whose id begins with `prefix` (a step's units). Returns how many were running. */
  stopDurables(prefix: string): Promise<number>;
  /** Content, or undefined when there is no such file. At most 32 MiB. As root. */
  readFile(path: string): Promise<Buffer | undefined>;
  /** Temp file beside the target, fsync, SHA-256, rename. Returns whether anything changed. As root. */
  writeFile(path: string, content: string | Buffer, options?: WriteOptions): Promise<boolean>;
  /** Which of these are not there yet, in one round trip: size, time and inode are compared with what was verified. */
  missingUploads(files: Upload[], options?: { signal?: AbortSignal }): Promise<Upload[]>;
  /** Uploads what is not there yet by SHA-256, resuming partial ones. Returns how many bytes went over the wire. */
  upload(files: Upload[], options?: UploadOptions): Promise<number>;
}

/** Pool of connections, one a host and process. */
export interface Hosts {
  get(name: string): RemoteHost;
  close(): Promise<void>;
}
