import type { ServerResponse } from 'node:http';
import type { Tell } from './feeds/shared-feeds.js';
import { StepChanges } from './step-changes.js';
import type { Told } from './told.js';

/** Who hears nothing for so long may take the connection for dead, in milliseconds. */
const HEARTBEAT_MS = 10_000;

/**
 * One page that listens: server-sent events. A browser that takes them slowly gets the latest state when it is ready for more, not
 * everything that was between.
 */
export class EventStream {
  private readonly waiting = new Map<keyof Told, Told[keyof Told]>();
  private readonly steps = new StepChanges();
  private readonly heart: NodeJS.Timeout;
  private isFull = false;

  constructor(private readonly response: ServerResponse) {
    response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'keep-alive' });
    response.on('drain', () => this.flush());
    this.heart = setInterval(() => this.write(': still here\n\n'), HEARTBEAT_MS);
    this.write(': here\n\n');
  }

  /** Sends what was told. */
  readonly tell: Tell = (name, value) => {
    this.waiting.set(name, value);
    this.flush();
  };

  /** Ends it. */
  close(): void {
    clearInterval(this.heart);
    this.response.end();
  }

  private flush(): void {
    this.isFull = this.response.writableNeedDrain;
    for (const [name, value] of this.waiting) {
      if (this.isFull) return;
      this.waiting.delete(name);
      this.write(`event: ${name}\ndata: ${JSON.stringify(this.reduced(name, value))}\n\n`);
    }
  }

  private reduced(name: keyof Told, value: Told[keyof Told]): Told[keyof Told] {
    return name === 'operation' ? this.steps.since(value as Told['operation']) : value;
  }

  private write(text: string): void {
    if (this.response.writableEnded) return;
    this.isFull = !this.response.write(text);
  }
}
