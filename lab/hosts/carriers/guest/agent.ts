import { connect, type Socket } from 'node:net';
import { KubewrightError } from '../../../../src/errors.js';
import { until } from '../../machine/run.js';

/** How long to wait before the next attempt to get at a line that others use, in ms. */
const NEXT_ATTEMPT = 20;

/**
 * Asks the agent that runs in a guest (qemu-ga, QEMU's own) one thing, over the serial line that QEMU offers as a socket.
 * The line has one user at a time, so each question has a connection of its own, which ends with the answer; others wait
 * for it.
 *
 * @param socket path
 * @returns what the agent returned; undefined when nothing answered in time
 * @throws KW635 when the agent refuses the command
 */
export async function askAgent(
  socket: string,
  execute: string,
  args: Record<string, unknown>,
  timeoutMs: number,
): Promise<unknown> {
  const end = performance.now() + timeoutMs;
  const connection = await until(() => attempt(socket), timeoutMs, NEXT_ATTEMPT);
  if (!connection || connection === 'nobody') return undefined;
  try {
    return await converse(connection, { execute, arguments: args }, Math.max(1, end - performance.now()));
  } finally {
    connection.destroy();
  }
}

/** @returns undefined when too many others wait for the line; `nobody` when there is no QEMU behind it */
async function attempt(path: string): Promise<Socket | 'nobody' | undefined> {
  const socket = connect({ path });
  return await new Promise((resolve) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN' ? undefined : 'nobody'));
  });
}

interface Command {
  execute: string;
  arguments: Record<string, unknown>;
}

async function converse(connection: Socket, command: Command, timeoutMs: number): Promise<unknown> {
  const sync = Math.floor(Math.random() * 2 ** 31);
  const send = (each: Command): void => void connection.write(`${JSON.stringify(each)}\n`);
  return await new Promise((resolve, reject) => {
    connection.setTimeout(timeoutMs, () => resolve(undefined));
    connection.on('error', () => resolve(undefined));
    connection.once('close', () => resolve(undefined));
    let inStep = false;
    onLines(connection, (line) => {
      const answer = parse(line);
      if (!inStep) {
        inStep = answer?.return === sync;
        if (inStep) send(command);
      } else if (answer?.error) reject(refused(command, answer.error.desc));
      else if (answer) resolve(answer.return);
    });
    // The byte FF, which is in no UTF-8, ends whatever half a command somebody left.
    connection.write(Buffer.of(0xff));
    send({ execute: 'guest-sync-delimited', arguments: { id: sync } });
  });
}

function refused({ execute }: Command, reason: string): KubewrightError {
  return new KubewrightError('KW635', `The guest's agent refused ${execute}: ${reason}.`, {
    hint: 'The agent is the package qemu-guest-agent of the guest: see what was changed about it there.',
  });
}

interface Answer {
  return?: unknown;
  error?: { desc: string };
}

function parse(line: string): Answer | undefined {
  try {
    return JSON.parse(line) as Answer;
  } catch {
    // The rest of an answer that somebody else did not wait for.
    return undefined;
  }
}

/** Lines without the marks (FF) before them. */
function onLines(connection: NodeJS.ReadableStream, use: (line: string) => void): void {
  let pending: Buffer[] = [];
  connection.on('data', (chunk: Buffer) => {
    const parts = splitLines(chunk);
    for (const [index, part] of parts.entries()) {
      pending.push(part);
      if (index === parts.length - 1) break;
      const line = Buffer.concat(pending);
      pending = [];
      use(line.subarray(line.lastIndexOf(0xff) + 1).toString());
    }
  });
}

function splitLines(chunk: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let begin = 0;
  for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', begin)) {
    parts.push(chunk.subarray(begin, at));
    begin = at + 1;
  }
  return [...parts, chunk.subarray(begin)];
}
