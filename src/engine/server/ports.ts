import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { KubewrightError } from '../../errors.js';
import { lookUntil, notYet, seen } from '../../waiting.js';

export const LOOPBACK = '127.0.0.1';

/**
 * Below the ports that systems hand out for outgoing connections (32768 and up on Linux, 49152 elsewhere): while a
 * server is down its clients dial its port again and again, and one of those attempts could take that very port as its
 * own.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const ATTEMPTS = 50;

/**
 * How long a preferred port is waited for. What held it may have been killed a moment ago, and those who dial it would be
 * cut off by another one.
 */
const PREFERRED_PATIENCE_MS = 3_000;
const PREFERRED_POLL_MS = 50;

/**
 * A TCP port that is free on loopback now. Another process may take it before it is used: who starts a program on it asks
 * `isPortTaken` of what that program says, and tries another one.
 *
 * @param preferred taken when it is free, or becomes so within three seconds
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined) {
    const look = async () => ((await isFree(preferred)) ? seen(preferred) : notYet());
    const had = await lookUntil(look, { patienceMs: PREFERRED_PATIENCE_MS, everyMs: PREFERRED_POLL_MS });
    if (had !== undefined) return had;
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (await isFree(port)) return port;
  }
  throw new KubewrightError('KW509', `No port between ${FIRST_PORT} and ${LAST_PORT} is free on loopback`, {
    hint: 'End what holds them, or use a Temporal server of yours with --address.',
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: LOOPBACK, port }, () => server.close(() => resolve(true)));
  });
}

/** Whether a program's output says that its port was taken before it came: as Go, and so Temporal and its UI, say it. */
export function isPortTaken(output: string): boolean {
  return /address already in use/i.test(output);
}

/** Whether something takes connections on a loopback port. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    const end = (up: boolean): void => {
      socket.destroy();
      resolve(up);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
