import { Readable } from 'node:stream';

/** Standard input of a script that a fake host plays: bytes or lines, as the script reads them. */
export class Input {
  #held: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(stream: Readable) {
    stream.on('data', (chunk: Buffer) => {
      this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    stream.once('end', end);
    stream.once('close', end);
  }

  /** What is there already. */
  static of(bytes: Buffer): Input {
    return new Input(Readable.from([bytes], { objectMode: false }));
  }

  /** Whether nothing comes any more. */
  get ended(): boolean {
    return this.#ended && this.#held.length === 0;
  }

  /** So many bytes; undefined when the sender left before. */
  bytes(count: number): Promise<Buffer | undefined> {
    return this.#take(() => (this.#held.length >= count ? count : undefined));
  }

  /** A line without its end; undefined when the sender left before. */
  async line(): Promise<string | undefined> {
    const bytes = await this.#take(() => this.#held.indexOf('\n') + 1 || undefined);
    return bytes?.toString('utf8').slice(0, -1);
  }

  async #take(enough: () => number | undefined): Promise<Buffer | undefined> {
    for (;;) {
      const count = enough();
      if (count !== undefined) {
        const taken = this.#held.subarray(0, count);
        this.#held = this.#held.subarray(count);
        return taken;
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
