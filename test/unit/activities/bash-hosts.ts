import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ContextOptions, createContext } from '../../../src/activities/context.js';
import type { StageContext } from '../../../src/activities/step.js';
import type { StepInput } from '../../../src/activities/types.js';
import type { Cluster } from '../../../src/cluster/types.js';
import { KubewrightError } from '../../../src/errors.js';
import type { CommandResult, DurableCommand, Hosts, RemoteHost, RunOptions, Upload } from '../../../src/hosts/types.js';
import type { Action } from '../../../src/plan/types.js';

/** What becomes of one round trip to a host, before the host does anything or on the way back. */
export type LineFault =
  | 'it fails'
  | 'it times out'
  | 'nothing comes back'
  | 'half of it comes back'
  | 'garbage comes back';

/**
 * Hosts whose scripts run as they are in a real bash, each over a directory of its own, with programs that a test writes.
 * What is no directory of the host (`/dev/tcp`) is replaced: every port takes connections.
 */
export class BashHosts {
  readonly root = mkdtempSync(join(tmpdir(), 'kubewright-hosts-'));
  /** Round trips so far, durable commands included. */
  trips = 0;
  /** The round trip of this number meets this fault. */
  fault: { trip: number; kind: LineFault } | undefined;

  /** Hosts that cannot be reached. */
  readonly away = new Set<string>();

  readonly #running = new Set<Promise<unknown>>();

  constructor(private readonly cluster: Cluster) {
    for (const { name } of cluster.hosts) {
      for (const directory of ['bin', 'etc', 'run', 'var/lib', 'proc', 'tmp']) {
        mkdirSync(join(this.root, name, directory), { recursive: true });
      }
      writeFileSync(join(this.root, name, 'proc/uptime'), '1000.00 1000.00\n');
    }
  }

  /** A program of every host. `$HOST` is the host's name, `$SHARED` a directory that all hosts see. */
  program(name: string, body: string): void {
    for (const host of this.cluster.hosts) {
      const path = join(this.root, host.name, 'bin', name);
      writeFileSync(path, `#!/bin/bash\nHOST=${host.name}\nSHARED=${this.root}\n${body}\n`);
      chmodSync(path, 0o755);
    }
  }

  write(host: string, path: string, content = ''): void {
    const file = join(this.root, host, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  read(host: string, path: string): string | undefined {
    const file = join(this.root, host, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  /** A file that all hosts see, such as the programs' journal; empty where there is none. */
  shared(name: string): string {
    const file = join(this.root, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Waits until nothing runs any more: a step that was aborted lets go of what it has started. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /**
   * @param onWait called when the step begins to wait for something: whoever does not want to wait aborts there
   * @param more what the step works with besides, such as a cluster without some of these hosts, and who carries it out
   */
  context(
    action: Action,
    host: string | null,
    signal: AbortSignal,
    onWait: (line: string) => void = () => {},
    more: { input?: Partial<StepInput>; options?: Partial<ContextOptions> } = {},
  ): StageContext {
    const step = {
      id: `${host ?? 'cluster'}/x`,
      phase: 'control-plane' as const,
      action,
      host,
      title: '',
      needs: [],
      timeoutMinutes: 1,
      skippable: false,
    };
    const onProgress = ({ line }: { line: string }) => line.startsWith('waiting') && onWait(line);
    const hosts = this.pool();
    const input = { cluster: this.cluster, step, build: '0', ...more.input };
    return createContext(input, { hosts, signal, onProgress, ...more.options });
  }

  pool(): Hosts {
    return { get: (name) => this.#remote(name), close: async () => undefined };
  }

  #remote(name: string): RemoteHost {
    const address = this.cluster.hosts.find((host) => host.name === name)?.address ?? '';
    return {
      name,
      address,
      run: (script: string, options: RunOptions = {}) => this.#run(name, script, options),
      runDurable: async (command: DurableCommand) => {
        const secrets = (await command.secrets?.()) ?? {};
        const directory = join(this.root, name, 'tmp/secrets');
        for (const [file, content] of Object.entries(secrets)) this.write(name, `tmp/secrets/${file}`, String(content));
        const script = `export KUBEWRIGHT_SECRETS=${directory}\nset -euo pipefail\n${command.guard ?? ''}${command.script}`;
        const { exitCode, stdout } = await this.#run(name, script, { allowFailure: true, signal: command.signal });
        const result = exitCode === 0 ? 'success' : 'exit-code';
        return { exitCode, result, output: stdout, reattached: false, durationMs: 1 };
      },
      readFile: async (path: string) => {
        const text = this.read(name, path);
        return text === undefined ? undefined : Buffer.from(text);
      },
      writeFile: async (path: string, content: string | Buffer) => {
        this.write(name, path, content.toString());
        return true;
      },
      missingUploads: async (files: Upload[]) => files.filter(({ target }) => this.read(name, target) === undefined),
      upload: async (files: Upload[]) => {
        for (const { source, target, mode } of files) {
          this.write(name, target, readFileSync(source, 'utf8'));
          chmodSync(join(this.root, name, target), mode);
        }
        return files.length;
      },
    } as unknown as RemoteHost;
  }

  async #run(name: string, script: string, options: RunOptions): Promise<CommandResult> {
    options.signal?.throwIfAborted();
    this.trips += 1;
    if (this.away.has(name)) throw new KubewrightError('KW202', 'no way to it', { host: name, transient: true });
    const fault = this.fault?.trip === this.trips ? this.fault.kind : undefined;
    if (fault === 'it fails') throw new KubewrightError('KW410', 'failed', { host: name });
    if (fault === 'it times out') throw new KubewrightError('KW411', 'timed out', { host: name, transient: true });
    const running = this.#bash(name, script, String(options.input ?? ''));
    this.#running.add(running);
    const result = await running;
    this.#running.delete(running);
    if (fault !== undefined) result.stdout = distorted(fault, result.stdout);
    if (result.exitCode === 0 || options.allowFailure) return result;
    throw new KubewrightError('KW410', `failed with ${result.exitCode}`, { host: name, output: result.stderr });
  }

  #bash(name: string, script: string, input: string): Promise<CommandResult> {
    const home = join(this.root, name);
    const text = script
      .replaceAll(/(?<![\w.}])\/(etc|var|run|proc|opt\/kubewright|usr\/local\/lib)\//g, `${home}/$1/`)
      .replaceAll(/<>\/dev\/tcp\/[^\s;)]+/g, '</dev/null');
    const env = { PATH: `${home}/bin:${process.env.PATH}`, TMPDIR: join(home, 'tmp'), LC_ALL: 'C' };
    return new Promise((resolve) => {
      const child = execFile('bash', ['--norc', '-c', text], { env, cwd: home }, (error, stdout, stderr) => {
        const exitCode = typeof error?.code === 'number' ? error.code : error === null ? 0 : 137;
        resolve({ exitCode, stdout, stderr, durationMs: 1 });
      });
      // A script that ends without having read its input closes the pipe: that is no error of the test's.
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }
}

function distorted(fault: LineFault, stdout: string): string {
  if (fault === 'nothing comes back') return '';
  if (fault === 'garbage comes back') return '<html>\u0000 Bad Gateway\nfact node 44 \nmembers\n';
  return stdout.slice(0, Math.floor(stdout.length / 2));
}
