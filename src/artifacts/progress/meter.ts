/** Bytes over how long (milliseconds) make the rate: long enough to be steady, short enough to follow a change. */
const WINDOW = 10_000;

/** One file on its way. */
export interface MeterItem {
  /** Its whole size in bytes, as soon as that is known. */
  size(bytes: number): void;
  /** Where it stands without having been sent now: kept from an earlier attempt, or thrown away (0). */
  stands(at: number): void;
  /** Bytes that arrived. */
  arrived(bytes: number): void;
}

/** What a person is told of a transfer. */
export interface Reading {
  /** Bytes that are there. */
  done: number;
  /** Bytes of all files whose size is known. */
  total: number;
  /** Bytes a second over the last ten seconds. */
  rate: number;
  /** Milliseconds, at this rate; undefined while nothing arrives. */
  remaining: number | undefined;
}

/** Adds up the bytes of files that arrive side by side. */
export class Meter {
  private readonly items: { size: number; at: number }[] = [];
  private readonly arrivals: { at: number; bytes: number }[] = [];

  /** @param now clock in milliseconds, for tests */
  constructor(private readonly now: () => number = () => performance.now()) {}

  item(): MeterItem {
    const item = { size: 0, at: 0 };
    this.items.push(item);
    return {
      size: (bytes) => {
        item.size = bytes;
      },
      stands: (at) => {
        item.at = at;
      },
      arrived: (bytes) => {
        item.at += bytes;
        this.arrivals.push({ at: this.now(), bytes });
      },
    };
  }

  read(): Reading {
    const now = this.now();
    while (this.arrivals[0] && this.arrivals[0].at < now - WINDOW) this.arrivals.shift();
    const begin = this.arrivals[0]?.at ?? now;
    const recent = this.arrivals.reduce((sum, { bytes }) => sum + bytes, 0);
    // Below a second the first packets would say anything.
    const rate = recent / (Math.max(now - begin, 1_000) / 1_000);
    const done = this.items.reduce((sum, { at }) => sum + at, 0);
    const total = this.items.reduce((sum, { size, at }) => sum + Math.max(size, at), 0);
    return { done, total, rate, remaining: rate > 0 ? ((total - done) / rate) * 1_000 : undefined };
  }
}
