import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UploadHost } from '../../../src/hosts/files/upload.js';

/** A host in a directory, for what reads and writes files: the scripts run here in a real bash. */
export class FakeDisk {
  #scripts = 0;
  /** Put in the place of the half minute after which nobody sends any more. */
  silenceSeconds = 30;

  private constructor(readonly root: string) {}

  static async create(): Promise<FakeDisk> {
    const disk = new FakeDisk(await mkdtemp(join(tmpdir(), 'kubewright-disk-')));
    await Promise.all(['bin', 'scripts', 'opt'].map((name) => mkdir(join(disk.root, name))));
    // Not everybody who runs the tests is root.
    await writeFile(join(disk.root, 'bin/chown'), '#!/bin/bash\n');
    await chmod(join(disk.root, 'bin/chown'), 0o755);
    return disk;
  }

  path(path: string): string {
    return join(this.root, path);
  }

  text(path: string): Promise<string | undefined> {
    return readFile(this.path(path), 'utf8').catch(() => undefined);
  }

  /** Starts a script; `silent` is a line on which nothing goes any more after so many bytes, and nothing is closed. */
  async start(script: string, silentAfter = Number.POSITIVE_INFINITY) {
    this.#scripts += 1;
    const file = this.path(`scripts/${this.#scripts}`);
    const local = script
      .replaceAll('/var/lib/kubewright', this.path('var/lib/kubewright'))
      .replaceAll(/\b(timeout|read -r -t|-t) 30\b/g, `$1 ${this.silenceSeconds}`);
    await writeFile(file, local);
    const child = spawn('bash', ['--norc', file], {
      env: { PATH: `${this.root}/bin:${process.env.PATH}`, LC_ALL: 'C' },
    });
    child.stdin.on('error', () => undefined);
    let sent = 0;
    const write = child.stdin.write.bind(child.stdin) as (chunk: Buffer | string) => boolean;
    child.stdin.write = ((chunk: Buffer | string) => {
      const rest = Buffer.from(chunk as string).subarray(0, Math.max(0, silentAfter - sent));
      sent += rest.length;
      return rest.length === 0 || write(rest);
    }) as typeof child.stdin.write;
    return child;
  }

  /** The host as uploads see it. */
  uploads(silentAfter?: number): UploadHost {
    return {
      ...this.files,
      start: async (script, handlers) => {
        const child = await this.start(script, silentAfter);
        child.stdout.on('data', handlers.onStdout);
        child.stderr.on('data', handlers.onStderr);
        const exit = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 137)));
        return { channel: child.stdin, exit };
      },
    };
  }

  readonly files = {
    name: 'cp-1',
    collect: async (script: string, input?: Buffer) => {
      const child = await this.start(script);
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      child.stdin.end(input);
      const code = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 137)));
      return { exitCode: code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
    },
  };

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
