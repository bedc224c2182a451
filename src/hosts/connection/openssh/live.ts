import { hostError } from '../../errors.js';
import { redact } from '../../redact.js';
import { type SeatLive, SessionRefused } from '../seats.js';
import { OpensshChannel, signalCommand, wrapped } from './channel.js';
import type { Prepared } from './client.js';
import type { Master } from './master.js';
import { channelArgs } from './options.js';
import { start } from './program.js';
import type { Hop } from './way.js';

/** An unused connection is closed after this long, and looked at this often. */
const IDLE_MS = 60_000;
const LOOK_MS = 3_000;

/** A channel and its connection die of the same cause, in no certain order. */
const SAME_CAUSE_MS = 300;

/** sshd would not open another session on a connection. */
export class OpensshRefused extends SessionRefused {}

/** One established connection by `ssh`, and the channels over it. It stays usable for those after it was retired. */
export class OpensshLive implements SeatLive {
  readonly user: string;
  readonly learned = new Map<string, Promise<unknown>>();
  /** Channels that are open or being opened, and connections through this one. */
  #used = 0;
  #isRetired = false;

  /** @param onGone called when it takes no more channels: once it is lost, and before it closes itself for want of use */
  constructor(
    readonly master: Master,
    private readonly prepared: Prepared,
    private readonly hop: Hop,
    private readonly host: string,
    private readonly onGone: () => void,
  ) {
    this.user = prepared.at.user;
    this.#watch();
  }

  get lost(): string | undefined {
    return this.master.lost;
  }

  retire(): void {
    this.#isRetired = true;
  }

  async end(): Promise<void> {
    await this.master.stop();
  }

  /** Keeps the connection in use until the function that it returns is called. */
  hold(): () => void {
    this.#used += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.#used -= 1;
      isHeld = false;
    };
  }

  /**
   * @throws OpensshRefused when sshd says no; KubewrightError KW203 when nothing ran for another reason, KW270, KW272; Error
   * when the connection is gone, `lost` says why
   */
  async open(command: string, signal?: AbortSignal): Promise<OpensshChannel> {
    const release = this.hold();
    const channel = await this.#start(command).catch((error: unknown) => {
      release();
      throw error;
    });
    channel.once('close', release);
    // Nobody would hear of a channel that opens only after an abort.
    const end = (): void => channel.close();
    signal?.addEventListener('abort', end, { once: true });
    const reason = await channel.opened;
    signal?.removeEventListener('abort', end);
    if (reason === undefined) return channel;
    if (this.lost !== undefined) throw new Error(this.lost);
    const output = redact(reason.words.trim()).slice(-2000);
    if (reason.refused) throw new OpensshRefused(output.split('\n')[0]);
    // The control socket may be gone: the next channel begins with a connection of its own.
    this.retire();
    this.onGone();
    throw hostError('connectionLost', `a channel to ${this.hop.label} did not open`, { host: this.host, output });
  }

  async #start(command: string): Promise<OpensshChannel> {
    const { host } = this;
    const { env } = this.prepared;
    const args = [...channelArgs(this.master.control), '--', this.hop.destination];
    const child = await start('ssh', [...args, wrapped(command)], { env, host, stdio: ['pipe', 'pipe', 'pipe'] });
    const isLost = async (): Promise<boolean> => {
      await Promise.race([this.master.gone, new Promise((resolve) => setTimeout(resolve, SAME_CAUSE_MS))]);
      return this.lost !== undefined;
    };
    return new OpensshChannel(child, isLost, (pid, name) => {
      void start('ssh', [...args, signalCommand(pid, name)], { env, host, stdio: 'ignore' }).catch(() => undefined);
    });
  }

  #watch(): void {
    let idleSince = performance.now();
    const timer = setInterval(() => {
      if (this.#used > 0) idleSince = performance.now();
      else if (this.#isRetired || performance.now() - idleSince >= IDLE_MS) {
        this.onGone();
        void this.master.stop();
      }
    }, LOOK_MS);
    void this.master.gone.then(() => {
      clearInterval(timer);
      this.onGone();
    });
  }
}
