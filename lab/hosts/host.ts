import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { isKubewrightError, KubewrightError } from '../../src/errors.js';
import type { CommandResult } from '../../src/hosts/types.js';
import { type Carrier, carrierOf, type Launched, type Place, type ScriptResult } from './carriers/index.js';
import { clearCgroups, killAll, processesIn } from './machine/cgroups.js';
import { until } from './machine/run.js';
import { addCut, readCuts, removeCuts, requireSwitch, unplug } from './network/cuts.js';
import { sshGreets } from './network/greeting.js';
import { portName } from './network/switch.js';
import { hostFiles, labFiles } from './paths.js';
import { renewIdentity } from './seed/seed.js';
import type { LabRecord, PlannedHost } from './types.js';

/** File that `fillDisk` makes on the host. */
const FILLER = '/var/kubewright-lab-filler';

export interface ExecOptions {
  /** Bytes for standard input, which is empty otherwise. */
  input?: string | Buffer;
  /** Return a non-zero exit instead of throwing. Default false. */
  allowFailure?: boolean;
  /** Default 60 000. */
  timeoutMs?: number;
}

/** One host of a lab: its power, its cable, its disk, and two ways in. Every method returns when what it says is so. */
export class LabHost {
  readonly name: string;
  readonly address: string;
  readonly role: PlannedHost['role'];
  private readonly place: Place;
  private readonly carrier: Carrier;

  constructor(
    private readonly labDirectory: string,
    private readonly lab: LabRecord,
    readonly planned: PlannedHost,
  ) {
    this.place = { labDirectory, lab, host: planned };
    this.carrier = carrierOf(planned);
    this.name = planned.name;
    this.address = planned.address;
    this.role = planned.role;
  }

  /**
   * The process that the host lives and dies with, as the machine counts: its PID 1, or a guest's QEMU; undefined when the
   * host is off.
   */
  async initPid(): Promise<number | undefined> {
    return await this.carrier.pid(this.place);
  }

  /** The running boot's id. @throws KW630 when the host is off, KW634 when it does not answer */
  async bootId(): Promise<string> {
    const id = await this.carrier.bootId(this.place, await this.runningInit());
    if (id) return id;
    await this.runningInit();
    throw new KubewrightError('KW634', 'The host is on and does not answer.', {
      host: this.name,
      hint: `It may be booting still: ${hostFiles(this.labDirectory, this.name).console} is its console.`,
    });
  }

  /** Bytes of the host's disk; undefined when it is off or does not answer. */
  async diskUsage(): Promise<{ sizeBytes: number; freeBytes: number } | undefined> {
    const init = await this.initPid();
    return init === undefined ? undefined : await this.carrier.diskUsage(this.place, init);
  }

  /** Empties the host's disk, or makes its first one. It must be off. */
  async makeDisk(): Promise<void> {
    await this.carrier.makeDisk(this.place);
  }

  /**
   * Switches the host on (nothing happens when it is) and waits until SSH can be used.
   *
   * @throws KW631 with its console's last lines when it does not come up within three minutes (a guest: ten)
   */
  async powerOn(signal?: AbortSignal): Promise<void> {
    const off = (await this.processCount()) === 0;
    const launched = off ? await this.carrier.launch(this.place, await requireSwitch(this.lab)) : undefined;
    await this.waitForSsh(signal, launched);
  }

  /**
   * Takes the power away: PID 1 (or QEMU) is killed, and everything with it, in the middle of whatever it does. The disk
   * stays as it is at this moment.
   */
  async powerOff(): Promise<void> {
    const init = await this.initPid();
    if (init !== undefined) {
      // The cable first: on a busy machine the kernel keeps a dead host's network for seconds, and answers pings for it.
      await unplug(this.lab, portName(this.planned));
      process.kill(init, 'SIGKILL');
    }
    // What keeps the host notices and ends; should it hang, it is ended with the rest.
    await until(async () => (await this.processCount()) === 0, 5_000);
    await killAll(this.lab.cgroups, this.name);
    await clearCgroups(this.lab.cgroups, this.name);
  }

  /** An orderly reboot, as `systemctl reboot` does it; returns when SSH can be used on the new boot. */
  async reboot(): Promise<void> {
    const before = await this.bootId();
    await this.exec('systemctl --no-block reboot').catch((error: unknown) => {
      // A guest may be gone before it has told how the command ended.
      if (!isKubewrightError(error) || error.code !== 'KW637') throw error;
    });
    const after = await until(async () => {
      const init = await this.initPid();
      const id = init && (await this.carrier.bootId(this.place, init));
      return id && id !== before;
    }, this.carrier.bootLimit);
    if (!after) throw await this.doesNotAnswer(`did not reboot within ${this.bootMinutes()} minutes`);
    await this.waitForSsh();
  }

  /**
   * Puts another machine in its place, switched on: the same name and address, an empty disk, host keys and a machine-id
   * of its own. known_hosts stays as it is, for accepting the new key is a person's act.
   */
  async replace(): Promise<void> {
    await this.powerOff();
    await renewIdentity(this.labDirectory, this.name);
    await this.makeDisk();
    await this.powerOn();
  }

  /**
   * Cuts the network: no frame passes to or from the host any more, ARP included; its own card stays up, as when a
   * switch fails. Given another host, only what the two send to each other is dropped.
   */
  async cut(from?: LabHost): Promise<void> {
    await addCut(this.lab, portName(this.planned), from && portName(from.planned));
  }

  /** Undoes every cut that concerns this host. */
  async heal(): Promise<void> {
    await removeCuts(this.lab, portName(this.planned));
  }

  /** Whether the host is cut off from everything, and the names of the hosts it is cut off from. */
  async cutState(): Promise<{ whole: boolean; from: string[] }> {
    const port = portName(this.planned);
    const { whole, pairs } = await readCuts(this.lab);
    const others = pairs.filter(([one]) => one === port).map(([, other]) => other);
    const from = this.lab.plan.hosts.filter((host) => others.includes(portName(host))).map((host) => host.name);
    return { whole: whole.includes(port), from };
  }

  /** Fills the host's disk to the last blocks. It takes no room on the machine: the blocks are reserved, not written. */
  async fillDisk(): Promise<void> {
    // Ever smaller pieces, because a file system's own tables need some of what it calls free.
    await this.exec(`
      offset=$(stat --format %s ${FILLER} 2>/dev/null || echo 0)
      piece=$(df --output=avail --block-size=1 / | tail -1)
      while [ "$piece" -ge 4096 ]; do
        if fallocate --offset "$offset" --length "$piece" ${FILLER} 2>/dev/null; then
          offset=$((offset + piece))
        fi
        piece=$((piece / 2))
      done`);
  }

  /** Undoes `fillDisk`. */
  async freeDisk(): Promise<void> {
    await this.exec(`rm -f ${FILLER}`);
  }

  /**
   * Runs a bash script on the host as root without SSH or the network: a process of the machine enters the host's
   * namespaces and cgroups, or a guest's agent is asked by a serial line. For looking at a host from outside, also while
   * it is cut off.
   *
   * @throws KW630 when the host is off, KW632 when the script fails (unless allowed), KW634 when a guest does not answer
   */
  async exec(script: string, options: ExecOptions = {}): Promise<CommandResult> {
    const { input, timeoutMs = 60_000 } = options;
    const settings = input === undefined ? { timeoutMs } : { input, timeoutMs };
    return this.finish(await this.carrier.run(this.place, await this.runningInit(), script, settings), options);
  }

  /**
   * Runs a command over SSH as the login user, with the OpenSSH client and strict host-key checking.
   *
   * @throws KW632 when it fails (unless allowed); exit code 255 is ssh's own
   */
  async ssh(command: string, options: ExecOptions = {}): Promise<CommandResult> {
    const result = await execa('ssh', ['-F', labFiles(this.labDirectory).sshConfig, this.name, command], {
      reject: false,
      timeout: options.timeoutMs ?? 60_000,
      ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    });
    return this.finish(result, options);
  }

  /** An interactive shell (or one command) on the caller's terminal. @returns its exit code */
  async sshInteractive(command: string[]): Promise<number> {
    const args = ['-F', labFiles(this.labDirectory).sshConfig, this.name, ...command];
    const child = spawn('ssh', args, { stdio: 'inherit' });
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 255));
    });
  }

  /**
   * Waits until the login user can log in.
   *
   * @throws KW631 when he cannot within three minutes (on a guest: ten)
   */
  async waitForSsh(signal?: AbortSignal, launched?: Launched): Promise<void> {
    const answers = await until(async () => {
      signal?.throwIfAborted();
      if (launched?.ended) throw await this.doesNotAnswer('did not start');
      const init = await this.initPid();
      if (init === undefined) return false;
      if (this.planned.user !== 'root' && !(await this.carrier.loginsAllowed(this.place, init))) return false;
      // Cut off: the machine cannot ask.
      const { whole } = await this.cutState();
      return whole ? await this.carrier.sshListens(this.place, init) : await this.sshAnswers();
    }, this.carrier.bootLimit);
    if (!answers) throw await this.doesNotAnswer(`does not answer on SSH within ${this.bootMinutes()} minutes`);
  }

  /** Whether its sshd answers; for a host behind a bastion, which the machine cannot ask, whether it listens. */
  async sshAnswers(): Promise<boolean> {
    if (!this.planned.kinds.includes('bastion')) return await sshGreets(this.planned);
    const init = await this.initPid();
    return init !== undefined && (await this.carrier.sshListens(this.place, init));
  }

  private bootMinutes(): number {
    return this.carrier.bootLimit / 60_000;
  }

  private finish(result: ScriptResult, options: ExecOptions): CommandResult {
    const { stdout, stderr, durationMs } = result;
    const exitCode = result.exitCode ?? (result.timedOut ? 124 : 255);
    if (exitCode === 0 || options.allowFailure) return { exitCode, stdout, stderr, durationMs };
    throw new KubewrightError('KW632', `A command on the host ended with ${exitCode}.`, {
      host: this.name,
      output: `${stdout}\n${stderr}`.trim().split('\n').slice(-20).join('\n'),
    });
  }

  private async processCount(): Promise<number> {
    return (await processesIn(join(this.lab.cgroups.processes, this.name))).length;
  }

  private async runningInit(): Promise<number> {
    const init = await this.initPid();
    if (init !== undefined) return init;
    throw this.isOff();
  }

  private isOff(): KubewrightError {
    return new KubewrightError('KW630', 'The host is off.', {
      host: this.name,
      hint: `kubewright lab power-on ${this.name} --name ${this.lab.name}`,
    });
  }

  private async doesNotAnswer(what: string): Promise<KubewrightError> {
    const { console } = hostFiles(this.labDirectory, this.name);
    const output = await readFile(console, 'utf8').catch(() => '');
    return new KubewrightError('KW631', `The host ${what}.`, {
      host: this.name,
      output: output.trim().split('\n').slice(-10).join('\n'),
      hint: 'The last lines of its console are above; the journal of the machine (dmesg) may know more.',
    });
  }
}
