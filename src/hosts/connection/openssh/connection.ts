import { hostError } from '../../errors.js';
import { redact } from '../../redact.js';
import { abortable } from '../abort.js';
import { connectionLost } from '../connection.js';
import type { Connection, Live } from '../types.js';
import { type NotOpened, OpensshChannel, signalCommand, wrapped } from './channel.js';
import type { OpensshClient, Prepared } from './client.js';
import { Master } from './master.js';
import { channelArgs, destinationArgs, masterArgs, proxyCommandThrough } from './options.js';
import { start } from './program.js';
import type { Hop } from './way.js';

/** An unused connection is closed after this long, and looked at this often. */
const IDLE_MS = 60_000;
const LOOK_MS = 3_000;

/** A channel and its connection die of the same cause, in no certain order. */
const SAME_CAUSE_MS = 300;

interface OpensshLive extends Live {
  readonly master: Master;
  readonly prepared: Prepared;
  channels: number;
  retired: boolean;
}

/** The way to one hop by the system's own `ssh`: one control connection, and one `ssh` over it for each channel. */
export class OpensshConnection implements Connection {
  #live: Promise<OpensshLive> | undefined;
  readonly #end = new AbortController();
  /** Those that stand, retired ones too. */
  readonly #standing = new Set<OpensshLive>();

  constructor(
    readonly hop: Hop,
    readonly host: string,
    private readonly via: OpensshConnection | undefined,
    private readonly client: OpensshClient,
    private readonly log: (line: string) => void,
  ) {}

  get label(): string {
    return this.hop.label;
  }

  async exec(command: string, signal?: AbortSignal): Promise<{ channel: OpensshChannel; live: Live }> {
    const { live, reused } = await this.#acquire(signal);
    try {
      return { channel: await this.#channel(live, command, signal), live };
    } catch (error) {
      if (!reused || live.lost === undefined || signal?.aborted) throw error;
      const again = await this.#acquire(signal);
      return { channel: await this.#channel(again.live, command, signal), live: again.live };
    }
  }

  async ready(signal?: AbortSignal): Promise<Live> {
    return (await this.#acquire(signal)).live;
  }

  async close(): Promise<void> {
    this.#end.abort(hostError('connectionLost', 'the connection was closed by Kubewright', { host: this.host }));
    const pending = this.#live;
    this.#live = undefined;
    await pending?.catch(() => undefined);
    await Promise.all([...this.#standing].map((live) => live.master.stop()));
  }

  async #acquire(signal?: AbortSignal): Promise<{ live: OpensshLive; reused: boolean }> {
    signal?.throwIfAborted();
    const reused = this.#live !== undefined;
    const pending = this.#live ?? this.#dial();
    this.#live = pending;
    return { live: await abortable(pending, signal), reused };
  }

  #dial(): Promise<OpensshLive> {
    const pending = this.#connect(() => this.#forget(pending));
    pending.catch(() => this.#forget(pending));
    return pending;
  }

  async #connect(forget: () => void): Promise<OpensshLive> {
    this.#end.signal.throwIfAborted();
    const { via, hop, host } = this;
    // The bastion's connection is held open by the one through it, which is a channel there.
    const bastion = via && (await via.#acquire());
    const through = bastion && via ? proxyCommandThrough(bastion.live.master.control, via.hop) : undefined;
    if (bastion) bastion.live.channels += 1;
    const release = (): void => {
      if (bastion) bastion.live.channels -= 1;
    };
    try {
      const prepared = await this.client.prepare(hop, host, through);
      const { keeper, version, configFile, at, env } = prepared;
      const control = keeper.socket();
      const args = [
        ...masterArgs(control, version),
        ...destinationArgs(hop, configFile, through),
        '--',
        hop.destination,
      ];
      const heardBefore = bastion?.live.master.listen() ?? (() => '');
      const facts = { hop, host, at, via: via?.label, args, control, env, heardBefore, dismissal: this.#end.signal };
      const master = await Master.start(facts, keeper);
      void master.gone.then(release);
      return this.#watch(master, prepared, forget);
    } catch (error) {
      release();
      throw error;
    }
  }

  #watch(master: Master, prepared: Prepared, forget: () => void): OpensshLive {
    const live: OpensshLive = {
      master,
      prepared,
      user: prepared.at.user,
      channels: 0,
      retired: false,
      learned: new Map(),
      get lost() {
        return master.lost;
      },
    };
    this.#standing.add(live);
    let idleSince = performance.now();
    const timer = setInterval(() => {
      if (live.channels > 0) idleSince = performance.now();
      else if (live.retired || performance.now() - idleSince >= IDLE_MS) {
        forget();
        void master.stop();
      }
    }, LOOK_MS);
    void master.gone.then(() => {
      clearInterval(timer);
      this.#standing.delete(live);
      forget();
      this.log(`${this.host}: connection closed (${master.lost})`);
    });
    return live;
  }

  #forget(pending: Promise<OpensshLive>): void {
    if (this.#live === pending) this.#live = undefined;
  }

  /** Takes no more channels; those that are open go on. */
  #retire(live: OpensshLive): void {
    if (!live.retired) this.#live = undefined;
    live.retired = true;
  }

  async #channel(live: OpensshLive, command: string, signal?: AbortSignal): Promise<OpensshChannel> {
    live.channels += 1;
    let channel: OpensshChannel;
    try {
      channel = await this.#start(live, command);
    } catch (error) {
      live.channels -= 1;
      throw error;
    }
    channel.once('close', () => {
      live.channels -= 1;
    });
    try {
      const reason = await abortable(channel.opened, signal);
      if (reason === undefined) return channel;
      throw this.#notOpened(live, reason);
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  async #start(live: OpensshLive, command: string): Promise<OpensshChannel> {
    const { env } = live.prepared;
    const args = [...channelArgs(live.master.control), '--', this.hop.destination];
    const child = await start('ssh', [...args, wrapped(command)], {
      env,
      host: this.host,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const isLost = async (): Promise<boolean> => {
      await Promise.race([live.master.gone, new Promise((resolve) => setTimeout(resolve, SAME_CAUSE_MS))]);
      return live.lost !== undefined;
    };
    return new OpensshChannel(child, isLost, (pid, name) => {
      const stdio = 'ignore' as const;
      void start('ssh', [...args, signalCommand(pid, name)], { env, host: this.host, stdio }).catch(() => undefined);
    });
  }

  #notOpened(live: OpensshLive, { refused, words }: NotOpened): Error {
    const { label, host } = this;
    if (live.lost !== undefined) return connectionLost(this, live.lost);
    // Sessions leaked on the server, its MaxSessions is small, or the control socket is gone: a fresh connection helps.
    this.#retire(live);
    const output = redact(words.trim()).slice(-2000);
    if (!refused) return hostError('connectionLost', `a channel to ${label} did not open`, { host, output });
    return hostError('channelRefused', `${label} refused another session`, {
      host,
      output,
      hint: 'It is tried again on a new connection. If it persists, raise MaxSessions in sshd_config to 10.',
    });
  }
}
