import { Duplex, PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { collectScript } from '../../../src/hosts/connection/script.js';
import type { Channel, Connection, Live } from '../../../src/hosts/connection/types.js';

/** A channel whose other end is this test. */
class FakeChannel extends Duplex {
  readonly stderr = new PassThrough();
  readonly written: string[] = [];
  isClosed = false;
  close = (): void => {
    this.isClosed = true;
  };
  signal = (): void => undefined;
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk.toString());
    done();
  }
}

const PASSWORD = 'correct horse canary';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Runs a script as `user`; each exec request gets the next of these channels. */
function run(user: string, ...channels: FakeChannel[]) {
  const learned = new Map<string, Promise<unknown>>();
  const live: Live = { user, lost: undefined, learned };
  const left = [...channels];
  const connection: Connection = {
    host: 'cp-1',
    label: 'cp-1',
    exec: async () => ({ channel: left.shift() as unknown as Channel, live }),
    ready: async () => live,
    close: async () => undefined,
  };
  const options = { root: true, input: Buffer.alloc(0), timeoutMs: 90_000 };
  return collectScript(connection, { password: PASSWORD, variable: 'SUDO_PW' }, 'true', options).catch(
    (error: unknown) => error,
  );
}

/** Lets everything that is under way come to rest. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** sudo's answer that it wants a password. */
function wantsPassword(): FakeChannel {
  const channel = new FakeChannel();
  channel.push('kubewright-shell\n');
  channel.stderr.write('sudo: a password is required\n');
  setImmediate(() => setImmediate(() => setImmediate(() => channel.emit('close', 1))));
  return channel;
}

describe('a login that gives no shell and does not end', () => {
  test('is KW235 with what it printed', async () => {
    const channel = new FakeChannel();
    const outcome = run('root', channel);
    channel.push('Choose: 1) mail\n');
    await settle();
    vi.advanceTimersByTime(25_000);
    expect(await outcome).toMatchObject({ code: 'KW235', transient: false, output: 'Choose: 1) mail' });
    expect(channel.isClosed).toBe(true);
  });

  test('is KW411, which may heal, where it says nothing', async () => {
    const outcome = run('root', new FakeChannel());
    await settle();
    vi.advanceTimersByTime(25_000);
    expect(await outcome).toMatchObject({ code: 'KW411', transient: true });
  });

  test('is KW235 at once where it prints without end', async () => {
    const channel = new FakeChannel();
    const outcome = run('root', channel);
    channel.push(Buffer.alloc(300 * 1024, 'y\n'));
    expect(await outcome).toMatchObject({ code: 'KW235' });
  });
});

describe('sudo', () => {
  test.each([
    [
      'asks for something else',
      'Verification code: ',
      { code: 'KW246', transient: false, output: 'Verification code:' },
    ],
    ['is silent', '', { code: 'KW246', transient: false }],
    ['is silent after the password', 'kubewright-password:', { code: 'KW411', transient: true }],
  ])('that %s is not waited for without end', async (_title, words, expected) => {
    const channel = new FakeChannel();
    const outcome = run('ops', wantsPassword(), channel);
    channel.stderr.write(words);
    await settle();
    expect(channel.written).toEqual(words.includes('kubewright') ? [`${PASSWORD}\n`] : []);
    vi.advanceTimersByTime(25_000);
    const error = await outcome;
    expect(error).toMatchObject(expected);
    expect(channel.isClosed).toBe(true);
    expect(JSON.stringify(error)).not.toContain('canary');
  });

  test('that does not say whether it wants a password is KW411', async () => {
    const channel = new FakeChannel();
    const outcome = run('ops', channel);
    channel.push('kubewright-shell\n');
    await settle();
    vi.advanceTimersByTime(25_000);
    expect(await outcome).toMatchObject({ code: 'KW411', transient: true });
  });

  test("is given the password at a prompt that comes in pieces, and not for a lecture's words", async () => {
    const channel = new FakeChannel();
    const outcome = run('ops', wantsPassword(), channel);
    channel.stderr.write('The password: never tell it.\n');
    await settle();
    expect(channel.written).toEqual([]);
    for (const piece of ['[sudo: kubewright', '-password:', '] Pass', 'word:', ' ']) {
      channel.stderr.write(piece);
      await settle();
    }
    expect(channel.written).toEqual([`${PASSWORD}\n`]);
    channel.push('kubewright-ready\nout');
    await settle();
    channel.emit('close', 0);
    expect(await outcome).toMatchObject({ exitCode: 0, stdout: Buffer.from('out') });
  });
});
