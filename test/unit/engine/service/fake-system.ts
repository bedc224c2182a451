import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ServiceRequest } from '../../../../src/engine/service/plan.js';
import type { Ended, ServiceSystem } from '../../../../src/engine/service/system.js';

/** Who runs the tests owns the files of the machine: what the machine calls root has this id. */
const OWNER = process.geteuid?.() ?? 0;
/** An id of somebody else's, who may run what is root's. */
export const SOMEBODY = OWNER || 1_000;

/** A machine with systemd whose files lie in a directory, and whose programs are told what to say. */
export class FakeSystem implements ServiceSystem {
  readonly calls: string[] = [];
  /** By a program's line; what is not here ends well and says nothing. */
  readonly answers = new Map<string, Partial<Ended>>();
  uid = 0;
  readonly node = '/usr/bin/node';
  readonly program = '/usr/lib/kubewright/bin/kubewright.mjs';

  private constructor(readonly root: string) {}

  static async make(): Promise<FakeSystem> {
    const system = new FakeSystem(await mkdtemp(join(tmpdir(), 'kubewright-system-')));
    onTestFinished(() => rm(system.root, { recursive: true, force: true }));
    await mkdir(join(system.root, 'run/systemd/system'), { recursive: true });
    await system.file(system.node, '', 0o755);
    await system.file(system.program, '', 0o644);
    await chmod(system.root, 0o755);
    system.account('root', OWNER, '/root');
    return system;
  }

  async run(program: string, argv: readonly string[]): Promise<Ended> {
    const line = [program, ...argv].join(' ');
    if (program !== 'getent' && program !== 'id') this.calls.push(line);
    return { exitCode: 0, stdout: '', stderr: '', ...this.answers.get(line) };
  }

  account(name: string, uid: number, home: string): void {
    this.answers.set(`getent passwd ${name}`, { stdout: `${name}:x:${uid}:${uid}::${home}:/bin/sh\n` });
  }

  async file(path: string, content: string, mode = 0o644): Promise<void> {
    const target = join(this.root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode });
  }

  /** A request as `kubewright server install-service` of root makes it. */
  request(fields: Partial<ServiceRequest> = {}): ServiceRequest {
    const env = fields.env ?? {};
    const { node, program } = this;
    return { user: 'root', env, settings: { env }, node, program, ...fields };
  }
}
