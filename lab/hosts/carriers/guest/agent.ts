import { connect } from 'node:net';
import { KubewrightError } from '../../../../src/errors.js';

/**
 * Asks the agent that runs in a guest (qemu-ga, QEMU's own) one thing, over the serial line that QEMU offers as a socket.
 * The line has one user at a time, so each question has a connection of its own, which ends with the answer.
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
  const sync = Math.floor(Math.random() * 2 ** 31);
  return await new Promise((resolve, reject) => {
    const connection = connect({ path: socket });
    const timer = setTimeout(() => end(() => resolve(undefined)), timeoutMs);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      connection.destroy();
      settle();
    };
    const send = (command: object): void => void connection.write(`${JSON.stringify(command)}\n`);
    connection.once('connect', () => {
      // The byte FF, which is in no UTF-8, ends whatever half a command somebody left.
      connection.write(Buffer.of(0xff));
      send({ execute: 'guest-sync-delimited', arguments: { id: sync } });
    });
    connection.once('error', () => end(() => resolve(undefined)));
    connection.once('close', () => end(() => resolve(undefined)));
    let inStep = false;
    onLines(connection, (line) => {
      const answer = parse(line);
      if (!inStep) {
        inStep = answer?.return === sync;
        if (inStep) send({ execute, arguments: args });
      } else if (answer && 'return' in answer) end(() => resolve(answer.return));
      else if (answer?.error) {
        const { desc } = answer.error;
        end(() => reject(new KubewrightError('KW635', `The guest's agent refused ${execute}: ${desc}`)));
      }
    });
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
