import { messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import { abortable } from './abort.js';
import type { Channel, Live } from './types.js';

/**
 * sshd may allow few sessions a connection (MaxSessions; hardening guides say 1, 2 or 4). No host is asked for more than
 * eight at once, so with eight connections even one each is enough.
 */
const MOST_CONNECTIONS = 8;

/** How long a command waits for a session of another one to end. Shorter than the time that most commands have in all. */
const WAIT_MS = 20_000;

/** More refusals than this of one session, and something else is wrong than how many there are. */
const MOST_REFUSALS = 10;

/** The server would not open a session. */
export abstract class SessionRefused extends Error {}

/** What is done here with a connection of either client. */
export interface SeatLive extends Live {
  /** Closes it once its last channel is closed. */
  retire(): void;
  end(): Promise<void>;
}

/** One connection of a host, and how many sessions on it are open or being opened. */
export interface Seat<L extends SeatLive> {
  readonly pending: Promise<L>;
  live: L | undefined;
  sessions: number;
  /** Whether it has ever carried a session. */
  isProven: boolean;
}

/**
 * The connections to one host. There is one, until the server refuses a session because of how many there are; from then on
 * as many as are needed. What was learned is remembered, so that no session is refused twice for the same reason.
 */
export class Seats<L extends SeatLive> {
  readonly #seats: Seat<L>[] = [];
  /** Sessions a connection, as far as the server has let us know. */
  #limit = Number.POSITIVE_INFINITY;
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly host: string,
    private readonly label: string,
    private readonly dial: (gone: () => void) => Promise<L>,
    private readonly log: (line: string) => void,
  ) {}

  /** The first connection, made where there is none. `isNew` tells which. */
  first(): { seat: Seat<L>; isNew: boolean } {
    const [known] = this.#seats;
    return known ? { seat: known, isNew: false } : { seat: this.#add(), isNew: true };
  }

  /**
   * Takes a place for a session: on a connection that has one, else on a further one, else when another session ends.
   *
   * @throws KubewrightError KW244 when there is none in time; what a connection cannot be made for
   */
  async take(signal?: AbortSignal): Promise<{ seat: Seat<L>; live: L; isNew: boolean }> {
    const deadline = performance.now() + WAIT_MS;
    let failure: unknown;
    for (;;) {
      signal?.throwIfAborted();
      const vacant = this.#seats.find(({ sessions }) => sessions < this.#limit);
      const mayDial = failure === undefined && this.#seats.length < MOST_CONNECTIONS;
      if (vacant === undefined && !mayDial) {
        this.log(
          `${this.host}: a command waits for a session (${this.#limit} a connection, ${this.#seats.length} connections)`,
        );
        await abortable(this.#release(deadline, failure), signal);
        continue;
      }
      const seat = vacant ?? this.#add();
      seat.sessions += 1;
      try {
        return { seat, live: await abortable(seat.pending, signal), isNew: vacant === undefined };
      } catch (error) {
        this.leave(seat);
        // The server may not want another connection either; those that are there will have a place again.
        if (signal?.aborted || !this.#seats.some(({ live }) => live !== undefined && live.lost === undefined))
          throw error;
        failure = error;
      }
    }
  }

  /**
   * Opens a session where there is a place for it. A connection that turns out to be dead is replaced once: nothing has run
   * by then. A refusal tells how many sessions the server allows, and the next place is tried.
   *
   * @param open throws SessionRefused when the server says no
   * @throws KubewrightError KW244; what `open` throws, put into words by `explain`
   */
  async session<C extends Channel>(
    open: (live: L) => Promise<C>,
    explain: (live: L, error: unknown) => unknown,
    signal?: AbortSignal,
  ): Promise<{ channel: C; live: L }> {
    let isReplaced = false;
    for (let refusals = 0; ; ) {
      const { seat, live, isNew } = await this.take(signal);
      try {
        return { channel: await abortable(this.#occupy(seat, open(live)), signal, (late) => late.destroy()), live };
      } catch (error) {
        if (signal?.aborted) throw error;
        const isDead: boolean = live.lost !== undefined && !isNew && !isReplaced;
        if (!isDead && !(error instanceof SessionRefused)) throw explain(live, error);
        // Its end may not have been told yet, and the next place would be on it again.
        if (isDead) this.drop(seat);
        isReplaced ||= isDead;
        refusals += isDead ? 0 : 1;
        if (refusals > MOST_REFUSALS)
          throw this.exhausted(`refuses sessions again and again: ${messageOf(error)}`, error);
      }
    }
  }

  /** Keeps a place that was taken for a session; it is given back when the session closes, or does not open. */
  async #occupy<C extends Channel>(seat: Seat<L>, opening: Promise<C>): Promise<C> {
    try {
      const channel = await opening;
      seat.isProven = true;
      channel.once('close', () => this.leave(seat));
      return channel;
    } catch (error) {
      this.leave(seat);
      if (error instanceof SessionRefused) this.refused(seat, error.message);
      throw error;
    }
  }

  /** Gives back a place. */
  leave(seat: Seat<L>): void {
    seat.sessions -= 1;
    for (const wake of this.#waiting) wake();
  }

  /**
   * The server refused a session; its place was given back. Sessions that are still being opened count like open ones: where
   * they are refused as well, each brings the limit down by one.
   *
   * @throws KubewrightError KW244 when a connection that never carried one refuses the first: a further one would, too
   */
  refused(seat: Seat<L>, why: string): void {
    if (seat.sessions > 0) {
      this.#limit = Math.min(this.#limit, seat.sessions);
      return;
    }
    if (!seat.isProven) throw this.exhausted(`refuses every session: ${why}`, undefined);
    // Sessions leaked on the server: a fresh connection starts from none.
    seat.live?.retire();
    this.drop(seat);
  }

  async close(): Promise<void> {
    const notYet = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
    const ended = this.#seats.splice(0).map(async ({ pending }) => {
      const live = await Promise.race([pending.catch(() => undefined), notYet]);
      await live?.end();
    });
    await Promise.all(ended);
  }

  #add(): Seat<L> {
    const seat: Seat<L> = {
      pending: this.dial(() => this.drop(seat)),
      live: undefined,
      sessions: 0,
      isProven: false,
    };
    this.#seats.push(seat);
    seat.pending.then(
      (live) => {
        seat.live = live;
      },
      () => this.drop(seat),
    );
    return seat;
  }

  /** Takes a connection out: whoever comes next gets another one. What is still open on it goes on. */
  drop(seat: Seat<L>): void {
    const at = this.#seats.indexOf(seat);
    if (at >= 0) this.#seats.splice(at, 1);
    for (const wake of this.#waiting) wake();
  }

  /** Until a place may be free. */
  #release(deadline: number, cause: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => (): void => {
        this.#waiting.delete(wake);
        clearTimeout(timer);
        act();
      };
      const wake = settle(resolve);
      const expire = settle(() => reject(this.exhausted(this.#limitWords(), cause)));
      const timer = setTimeout(expire, Math.max(0, deadline - performance.now()));
      this.#waiting.add(wake);
    });
  }

  #limitWords(): string {
    const { length } = this.#seats;
    return `allows ${this.#limit} session(s) a connection, and those of ${length} connection(s) stayed in use for ${WAIT_MS / 1000} s`;
  }

  /** There is no place for a session, and waiting does not help. */
  exhausted(why: string, cause: unknown): Error {
    return hostError('sessionsExhausted', `${this.label} ${why}`, {
      host: this.host,
      hint: 'Set MaxSessions to 10 in its sshd_config (`sshd -T | grep -i maxsessions` shows it), and let this user log in several times at once (maxlogins in limits.conf).',
      cause,
    });
  }
}
