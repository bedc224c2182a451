import { setTimeout as pause } from 'node:timers/promises';
import type { FakeHost } from './host.js';
import type { Input } from './input.js';
import { assignmentsOf } from './shell-words.js';
import { doWork } from './work.js';

/** One run of a durable command, as its unit keeps it. */
export interface FakeUnit {
  id: string;
  hash: string;
  attempt: string;
  run: string;
  startedAt: number;
  output: string;
  /** Exit code, once it has ended. */
  ended: Promise<number>;
  code?: number;
  delivered: boolean;
}

/** What a script talks to besides its standard input. */
export interface Speaker {
  out(text: string): void;
  err(text: string): void;
}

export function isDurable(script: string): boolean {
  return script.includes('\nfind_state() {');
}

/** Plays the script that starts or follows a durable command (`attendScript`), or stops some (`stopScript`). */
export async function attend(host: FakeHost, script: string, input: Input, speaker: Speaker): Promise<number> {
  if (script.includes('\nstop_unit() {')) {
    // What runs on a fake host is over in seconds.
    speaker.out('0 0\n');
    return 0;
  }
  const head = assignmentsOf(script, 'unit', 'id', 'hash', 'attempt', 'mode', 'payload', 'run');
  const { unit: name = '', mode, payload = '0' } = head;
  const files = mode === 'start' ? framesIn((await input.bytes(Number(payload))) ?? Buffer.alloc(0)) : undefined;
  const found = living(host.units.get(name), head);
  if (mode === 'resume' && found?.run !== head.run) return tell(speaker, 'lost');
  if (found !== undefined) return follow(found, found.code === undefined ? 'running' : 'ended', input, speaker);
  if (files === undefined) return tell(speaker, 'none');
  const { id = '', hash = '', attempt = '' } = head;
  const unit = begin(host, { id, hash, attempt }, files.get('command.sh')?.toString('utf8') ?? '');
  host.units.set(name, unit);
  return follow(unit, 'started', input, speaker);
}

function tell(speaker: Speaker, word: string): number {
  speaker.err(`kw ${word}\n`);
  return 0;
}

/** One that runs, or whose end nobody got and that answers who asks: a success anybody, a failure its own attempt. */
function living(unit: FakeUnit | undefined, { hash, attempt }: Record<string, string>): FakeUnit | undefined {
  if (unit === undefined || unit.delivered) return undefined;
  if (unit.code === undefined) return unit;
  return unit.hash === hash && (unit.code === 0 || unit.attempt === attempt) ? unit : undefined;
}

function begin(host: FakeHost, who: Pick<FakeUnit, 'id' | 'hash' | 'attempt'>, script: string): FakeUnit {
  const startedAt = Date.now();
  const unit: FakeUnit = {
    ...who,
    run: `runs/${startedAt}.${host.units.size}`,
    startedAt,
    output: '',
    delivered: false,
    ended: Promise.resolve(0),
  };
  const before = host.lock;
  unit.ended = before.then(async () => {
    const { code, output } = await doWork(host, who.id, script);
    unit.output = output;
    unit.code = code;
    return code;
  });
  host.lock = unit.ended.then(
    () => undefined,
    () => undefined,
  );
  return unit;
}

async function follow(unit: FakeUnit, how: string, input: Input, speaker: Speaker): Promise<number> {
  speaker.err(`kw run ${how} ${unit.run} 0\n`);
  const code = await unit.ended;
  if (unit.output !== '') speaker.out(unit.output);
  // Output and the end go through two pipes: the end is told when the output is surely there.
  await pause(5);
  speaker.err(`kw end ${code === 0 ? 'success' : 'exit-code'} exited ${code} ${unit.startedAt} ${Date.now()}\n`);
  if ((await input.line()) === 'delivered') unit.delivered = true;
  return 0;
}

/** `SIZE NAME` and the bytes of each file, up to `0 .`. */
function framesIn(payload: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at < payload.length; ) {
    const end = payload.indexOf('\n', at);
    const [size = '0', name = '.'] = payload.subarray(at, end).toString('utf8').split(' ');
    at = end + 1 + Number(size);
    if (name !== '.') files.set(name, payload.subarray(end + 1, at));
  }
  return files;
}
