/** So much of one stream may be on its way between the threads; half of what ssh2 holds of a channel. */
const WINDOW_BYTES = 1024 * 1024;

/** The end that sends: it stops at a full window, so a slow reader costs this much memory and no more. */
export class SendWindow {
  #onTheWay = 0;

  get isFull(): boolean {
    return this.#onTheWay >= WINDOW_BYTES;
  }

  sent(bytes: number): void {
    this.#onTheWay += bytes;
  }

  taken(bytes: number): void {
    this.#onTheWay -= bytes;
  }
}

/** The end that receives: it tells how much was taken, in few messages. */
export class ReceiveWindow {
  #untold = 0;

  constructor(private readonly tell: (bytes: number) => void) {}

  /** What stays untold is less than a quarter of the window, so a sender never waits for it. */
  took(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold < WINDOW_BYTES / 4) return;
    this.tell(this.#untold);
    this.#untold = 0;
  }
}
