import type { Told } from '../told.js';

/** Whether this page hears of what happens; `refused`: it has no token, or that of an earlier start. */
export type Connection = 'connecting' | 'open' | 'lost' | 'refused';

/** Takes what is heard. */
export interface Hearer {
  told<Name extends keyof Told>(name: Name, value: Told[Name]): void;
  connection(state: Connection): void;
}

/** The server says something at least every ten seconds. */
const SILENCE_MS = 25_000;
const FIRST_RETRY_MS = 500;
const SLOWEST_RETRY_MS = 5_000;

/**
 * Listens until it is stopped, and comes back by itself. Server-sent events by fetch, for the browser's own EventSource sends no header,
 * and a token in an address would be kept in too many places.
 */
export async function listen(path: string, token: string, hearer: Hearer, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    const heard = await once(path, token, hearer, signal);
    if (signal.aborted) return;
    if (heard === 'refused') return hearer.connection('refused');
    if (heard === 'something') failures = 0;
    hearer.connection('lost');
    await pause(Math.min(SLOWEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures));
  }
}

async function once(
  path: string,
  token: string,
  hearer: Hearer,
  signal: AbortSignal,
): Promise<'refused' | 'something' | 'nothing'> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  let heard: 'something' | 'nothing' = 'nothing';
  try {
    const headers = { 'kubewright-token': token };
    const response = await fetch(path, { headers, signal: AbortSignal.any([signal, silence.signal]) });
    if (response.status === 401) return 'refused';
    if (!response.ok || response.body === null) return heard;
    hearer.connection('open');
    heard = 'something';
    const parser = new EventParser(hearer);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      parser.add(next.value);
    }
  } catch {
    // Whatever it was, the page says that it is cut off and tries again.
  } finally {
    clearTimeout(timer);
  }
  return heard;
}

/** Reads events out of pieces that end anywhere. */
class EventParser {
  private rest = '';

  constructor(private readonly hearer: Hearer) {}

  add(text: string): void {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) this.read(block);
  }

  private read(block: string): void {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
    // What stays between events are words to keep the line open.
    if (name === undefined || data === undefined) return;
    this.hearer.told(name as keyof Told, JSON.parse(data));
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
