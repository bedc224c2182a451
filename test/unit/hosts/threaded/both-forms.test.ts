import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { KubewrightError } from '../../../../src/errors.js';
import type { Channel, Connection } from '../../../../src/hosts/connection/types.js';
import { eventually } from '../../eventually.js';
import { serve, serveUnknown, useServers, where } from '../served.js';
import { HOST_KEYS, type OnExec, runLocally, socketOf } from '../ssh-server.js';
import { connectionBy, FORMS, targetOf, useForms } from './forms.js';

useServers();
useForms();

const MIB = 1024 * 1024;
const SIZE = 20 * MIB;

/** What two windows hold: ssh2's of 2 MiB, and the one between the threads for each of its ends. */
const MOST_ON_THE_WAY = 6 * MIB;

/** Bytes of which none looks like another's neighbour, so that an order that is not kept shows. */
const CONTENT = Buffer.alloc(
  SIZE,
  Buffer.from(Uint32Array.from({ length: 65_537 }, (_, index) => index * 2_654_435_761).buffer),
);

const hashOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** The end of a channel whose output is read. */
async function endOf(channel: Channel): Promise<{ stdout: string; stderr: string; code: unknown; signal: unknown }> {
  let [stdout, stderr] = ['', ''];
  channel.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  channel.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code, signal] = await new Promise<unknown[]>((resolve) =>
    channel.once('close', (...end: unknown[]) => resolve(end)),
  );
  return { stdout, stderr, code, signal };
}

/** So many more commands over the same connection that whatever is on its way had every chance to arrive. */
async function letMoreArrive(connection: Connection): Promise<void> {
  for (let round = 0; round < 40; round += 1) {
    const { channel } = await connection.exec('true');
    await endOf(channel);
  }
}

describe.each(FORMS)('a channel of connections %s', (form) => {
  test('has both streams, its input, its exit code, or the signal that ended it', async () => {
    const connection = connectionBy(form, targetOf((await serve()).port));
    const { channel, live } = await connection.exec('cat; echo problem >&2; exit 3');
    channel.end('input');
    expect(await endOf(channel)).toMatchObject({ stdout: 'input', stderr: 'problem\n', code: 3 });
    expect(live).toMatchObject({ user: 'root', lost: undefined });
    expect(await connection.ready()).toBe(live);
    const killed = await connection.exec('kill -TERM $$');
    expect(await endOf(killed.channel)).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  test('brings 20 MiB that are read late: what waits is bounded, and every byte comes before the end', async () => {
    let offered = 0;
    const onExec: OnExec = (command, channel, connection) => {
      if (command !== 'download') return runLocally()(command, channel, connection);
      const next = (): void => {
        const chunk = CONTENT.subarray(offered, offered + 64 * 1024);
        offered += chunk.length;
        if (chunk.length > 0) return void channel.write(chunk, next);
        channel.exit(0);
        channel.end(() => channel.close());
      };
      next();
    };
    const connection = connectionBy(form, targetOf((await serve({ onExec })).port));
    const { channel } = await connection.exec('download');
    await eventually(() => offered > 2 * MIB, 'the first window is used up');
    await letMoreArrive(connection);
    expect(offered).toBeLessThan(MOST_ON_THE_WAY);
    expect(channel.readableLength).toBeLessThan(MOST_ON_THE_WAY);
    const hash = createHash('sha256');
    channel.on('data', (chunk: Buffer) => hash.update(chunk));
    channel.stderr.resume();
    expect(await new Promise((resolve) => channel.once('close', resolve))).toBe(0);
    expect(hash.digest('hex')).toBe(hashOf(CONTENT));
  });

  test.each([
    ['many', 512 * 1024],
    ['one', SIZE],
  ])('takes 20 MiB in %s piece(s) no faster than the host does', async (_title, pieceBytes) => {
    let takeIt = (): void => undefined;
    const hash = createHash('sha256');
    const onExec: OnExec = (command, channel, connection) => {
      if (command !== 'upload') return runLocally()(command, channel, connection);
      takeIt = () => {
        channel.on('data', (chunk: Buffer) => hash.update(chunk));
        channel.on('end', () => {
          channel.exit(0);
          channel.end(() => channel.close());
        });
      };
    };
    const connection = connectionBy(form, targetOf((await serve({ onExec })).port));
    const { channel } = await connection.exec('upload');
    let taken = 0;
    for (let at = 0; at < SIZE; at += pieceBytes) {
      const piece = CONTENT.subarray(at, at + pieceBytes);
      channel.write(piece, () => {
        taken += piece.length;
      });
    }
    channel.end();
    await letMoreArrive(connection);
    expect(taken).toBeLessThan(MOST_ON_THE_WAY);
    takeIt();
    expect(await endOf(channel)).toMatchObject({ code: 0 });
    expect(hash.digest('hex')).toBe(hashOf(CONTENT));
    // The writer may send the same again: what was handed over was a copy.
    expect(CONTENT.length).toBe(SIZE);
  });

  test('that is given up while its connection is made rejects with the reason itself, as does the wait for that', async () => {
    const silent = net.createServer();
    const taken = new Promise<net.Socket>((resolve) => silent.once('connection', resolve));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const connection = connectionBy(form, targetOf((silent.address() as AddressInfo).port));
    const controller = new AbortController();
    const asked = [connection.exec('true', controller.signal), connection.ready(controller.signal)];
    const outcomes = Promise.allSettled(asked);
    const socket = await taken;
    const reason = new Error('given up');
    controller.abort(reason);
    for (const outcome of await outcomes) expect((outcome as PromiseRejectedResult).reason).toBe(reason);
    await expect(connection.exec('true', controller.signal)).rejects.toBe(reason);
    socket.destroy();
    silent.close();
  });

  test('that opens although its caller has just given up is closed', async () => {
    const controller = new AbortController();
    const reason = new Error('given up');
    const onExec: OnExec = (_command, channel) => {
      controller.abort(reason);
      channel.write('nobody reads this');
      channel.on('end', () => channel.close()).resume();
    };
    const server = await serve({ onExec });
    const connection = connectionBy(form, targetOf(server.port));
    await expect(connection.exec('x', controller.signal)).rejects.toBe(reason);
    await eventually(() => server.sessions === 0, 'the session is closed');
  });

  test('closes without a word when the connection breaks, which then says why it is lost', async () => {
    const onExec: OnExec = (_command, channel, connection) => {
      channel.write('half');
      setTimeout(() => socketOf(connection).destroy(), 20);
    };
    const connection = connectionBy(form, targetOf((await serve({ onExec })).port));
    const { channel, live } = await connection.exec('x');
    expect(await endOf(channel)).toMatchObject({ stdout: 'half', code: undefined });
    expect(live.lost).toBe('the peer closed it');
    expect(where.log).toEqual(['cp-1: connection closed (the peer closed it)']);
  });
});

/** Everything of an error that anybody looks at. */
function factsOf(error: unknown): object {
  const { code, message, hint, host, step, output, transient, cause, name } = error as KubewrightError;
  const root = cause instanceof Error ? { name: cause.name, message: cause.message } : cause;
  return { isError: error instanceof Error, name, code, message, hint, host, step, output, transient, root };
}

/** Ways not to get in. Each returns the port that it is tried at. */
const REFUSALS: Record<string, () => Promise<number>> = {
  'an unknown host key': async () => (await serveUnknown()).port,
  'a changed host key': async () => {
    const server = await serveUnknown();
    where.trust(server, HOST_KEYS.other);
    return server.port;
  },
  'a key that is not accepted': async () => {
    writeFileSync(where.keyFile, HOST_KEYS.other.private);
    return (await serve()).port;
  },
  'nobody who listens': async () => {
    const server = await serve();
    await server.stop();
    return server.port;
  },
  'a server that takes no session': async () => (await serve({ maxSessions: 0 })).port,
  'a server that vanishes when it is asked': async () => {
    const onExec: OnExec = (_command, _channel, connection) => socketOf(connection).destroy();
    return (await serve({ onExec })).port;
  },
  'a server that hangs up at once': async () => {
    // Not before it has heard something: what is unread when it closes would be a reset, sometimes.
    const server = net.createServer((socket) => void socket.once('data', () => socket.end()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    return (server.address() as AddressInfo).port;
  },
};

test.each(Object.keys(REFUSALS))('%s is the same error from either thread', async (name) => {
  const port = (await REFUSALS[name]?.()) ?? 0;
  const [here, there] = await Promise.all(
    FORMS.map(async (form) => {
      const connection = connectionBy(form, targetOf(port));
      const tried = connection.exec('true').then(async ({ channel }) => endOf(channel));
      return tried.then(
        (end) => end as object,
        (error: unknown) => factsOf(error),
      );
    }),
  );
  expect(there).toEqual(here);
  expect(here).toMatchObject(
    name.includes('vanishes') ? { code: undefined } : { isError: true, name: 'KubewrightError', host: 'cp-1' },
  );
});
