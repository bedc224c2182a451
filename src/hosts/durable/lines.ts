import { LineRedactor } from '../redact.js';

/** A stream of bytes as complete, redacted lines, with the last of them kept. */
export class OutputLines {
  readonly #redactor = new LineRedactor();
  readonly #recent: string[] = [];
  #recentBytes = 0;
  #pending = '';

  constructor(
    private readonly tailBytes: number,
    private readonly onLine: (line: string) => void = () => undefined,
  ) {}

  /** Bytes as they come: cut lines and characters are put together again. */
  push(chunk: Buffer): void {
    const parts = (this.#pending + chunk.toString('latin1')).split('\n');
    this.#pending = parts.pop() ?? '';
    for (const part of parts) this.#line(part);
  }

  /** The last lines, redacted, at most `tailBytes` of UTF-8; a last line without an end counts. */
  end(): string {
    if (this.#pending !== '') this.#line(this.#pending);
    this.#pending = '';
    return lastBytes(this.#recent.map((line) => `${line}\n`).join(''), this.tailBytes);
  }

  #line(latin1: string): void {
    const raw = Buffer.from(latin1, 'latin1').toString('utf8').replace(/\r$/, '');
    // A progress bar rewrites its line: only its last state is a line.
    const line = this.#redactor.line(raw.slice(raw.lastIndexOf('\r') + 1));
    this.#recent.push(line);
    this.#recentBytes += line.length + 1;
    while (this.#recent.length > 1 && this.#recentBytes - (this.#recent[0]?.length ?? 0) - 1 >= this.tailBytes) {
      this.#recentBytes -= (this.#recent.shift()?.length ?? 0) + 1;
    }
    this.onLine(line);
  }
}

/** The end of a text, at most so many bytes, from the beginning of a line where possible. */
export function lastBytes(text: string, bytes: number): string {
  if (text.length <= bytes && Buffer.byteLength(text) <= bytes) return text;
  const tail = Buffer.from(text).subarray(-bytes).toString('utf8').replace(/^�+/, '');
  const lineStart = tail.indexOf('\n') + 1;
  return lineStart > 0 && lineStart < tail.length ? tail.slice(lineStart) : tail;
}
