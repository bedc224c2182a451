import type { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { bufferOf, type FromThread, ownBytes, type Post, type Stream, type ToThread } from './messages.js';
import { ReceiveWindow, SendWindow } from './window.js';

type ForChannel = Extract<ToThread, { channel: number }>;

/** One channel of ssh2, as it is carried over to the main thread. */
export class ServedChannel {
  readonly #windows: Record<Stream, SendWindow> = { stdout: new SendWindow(), stderr: new SendWindow() };
  readonly #input: ReceiveWindow;
  #isDropped = false;

  /** @param onClosed called when nothing comes of it any more */
  constructor(
    private readonly id: number,
    private readonly channel: ClientChannel,
    private readonly post: Post<FromThread>,
    onClosed: () => void,
  ) {
    this.#input = new ReceiveWindow((bytes) => post({ kind: 'sent', channel: id, bytes }));
    this.#carry('stdout');
    this.#carry('stderr');
    channel.once('close', (code?: number | null, signal?: string) => {
      // ssh2 waits for the end of stdout alone.
      const { stderr } = channel;
      const tell = (): void => {
        onClosed();
        if (!this.#isDropped) post({ kind: 'closed', channel: id, code, signal });
      };
      if (stderr.readableEnded) tell();
      else stderr.once('end', tell);
    });
  }

  receive(message: ForChannel): void {
    const { channel } = this;
    if (message.kind === 'input') this.#write(bufferOf(message.bytes));
    else if (message.kind === 'endInput') channel.end();
    else if (message.kind === 'closeChannel') channel.close();
    else if (message.kind === 'signal') channel.signal(message.name);
    else this.#taken(message.stream, message.bytes);
  }

  /** Nobody wants it: it is closed, and what it still prints goes nowhere. */
  drop(): void {
    this.#isDropped = true;
    this.channel.destroy();
    this.channel.resume();
    this.channel.stderr.resume();
  }

  #write(bytes: Buffer): void {
    this.channel.write(bytes, () => this.#input.took(bytes.length));
  }

  #carry(stream: Stream): void {
    const from = this.#streamOf(stream);
    const window = this.#windows[stream];
    from.on('data', (chunk: Buffer) => {
      if (this.#isDropped) return;
      const bytes = ownBytes(chunk);
      this.post({ kind: 'output', channel: this.id, stream, bytes }, [bytes.buffer]);
      window.sent(chunk.length);
      if (window.isFull) from.pause();
    });
  }

  #taken(stream: Stream, bytes: number): void {
    const window = this.#windows[stream];
    window.taken(bytes);
    if (!window.isFull) this.#streamOf(stream).resume();
  }

  #streamOf(stream: Stream): Readable {
    return stream === 'stdout' ? this.channel : this.channel.stderr;
  }
}
