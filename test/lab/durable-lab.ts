import { execa } from 'execa';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import type { Cluster } from '../../src/cluster/types.js';
import { unitName } from '../../src/hosts/durable/names.js';
import type { DurableCommand, Hosts, HostsOptions, RemoteHost } from '../../src/hosts/index.js';
import { clusterOfLab, eventually, poolOf } from './lab-hosts.js';

export type MarkedCommand = DurableCommand & {
  /** File on the host that gets a line each time the command begins; `$mark` in its script. */
  mark: string;
};

/** One lab host, workers that look at it, and what tests of durable commands see from outside. */
export class DurableLab {
  readonly #pools: Hosts[] = [];
  #count = 0;

  private constructor(
    readonly lab: Lab,
    readonly cluster: Cluster,
    readonly machine: LabHost,
  ) {}

  static async up(name: string): Promise<DurableLab> {
    const lab = await labUp({ name, hosts: 1, replace: true });
    return new DurableLab(lab, await clusterOfLab(lab), lab.host('cp-1'));
  }

  /** The host as a worker of its own sees it. */
  worker(options: Partial<HostsOptions> = {}): RemoteHost {
    const pool = poolOf(this.cluster, options);
    this.#pools.push(pool);
    return pool.get('cp-1');
  }

  async closeWorkers(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.close()));
  }

  /** A command of an id that no other test has. Where its script says `pause`, it waits for `letGo`. */
  command(script: string, more: Partial<DurableCommand> = {}): MarkedCommand {
    this.#count += 1;
    const mark = `/root/mark-${this.#count}`;
    const pause = 'pause() { until [ -e "$mark.go" ]; do sleep 0.1; done; }';
    const whole = `mark=${mark}\n${pause}\necho began >>$mark\n${script}`;
    return { id: `test:${this.#count}`, script: whole, timeoutSeconds: 60, mark, ...more };
  }

  /** Output of a script that runs on the host as root, without SSH. */
  async on(script: string): Promise<string> {
    return (await this.machine.exec(script)).stdout.trim();
  }

  async timesBegun({ mark }: MarkedCommand): Promise<number> {
    return Number(await this.on(`cat ${mark} 2>/dev/null | wc -l`));
  }

  async begun(command: MarkedCommand): Promise<void> {
    await eventually(async () => (await this.timesBegun(command)) > 0, 'the command begins');
  }

  /** Ends the `pause` of a command: a test that looks at a running command takes as long as the machine needs for it. */
  async letGo({ mark }: MarkedCommand): Promise<void> {
    await this.on(`touch ${mark}.go`);
  }

  unitState({ id }: { id: string }): Promise<string> {
    return this.on(`systemctl is-active ${unitName(id)} || true`);
  }

  async ended(command: MarkedCommand): Promise<void> {
    await eventually(async () => (await this.unitState(command)) === 'inactive', 'the unit ends');
  }

  /** Starts a command in a process of its own and kills that process as soon as the command runs. */
  async startAndKillClient(command: MarkedCommand): Promise<void> {
    const { id, script, timeoutSeconds, attempt } = command;
    const options = JSON.stringify({ id, script, timeoutSeconds, attempt });
    const file = this.lab.files.clusterFile;
    const client = execa('node', ['test/lab/durable-client.mjs', file, 'cp-1', options], { reject: false });
    const endedEarly = client.then(({ message, stdout }) =>
      Promise.reject(new Error(`the client ended by itself: ${message ?? stdout}`)),
    );
    await Promise.race([this.begun(command), endedEarly]);
    client.kill('SIGKILL');
    await endedEarly.catch(() => undefined);
  }
}
