import net from 'node:net';
import ssh2, { type OpenSSHAgent as OpenSSHAgentType, type ParsedKey } from 'ssh2';
import { keyTypeOf } from './known-hosts.js';
import type { PublicKey } from './public-key.js';

const { OpenSSHAgent } = ssh2;

/** An agent answers at once; one that asks a person first (a locked vault) does so when it signs, not when it lists. */
const ANSWER_MS = 5_000;

/** More than any agent holds; an answer that claims more is none. */
const MOST_BYTES = 1024 * 1024;

/**
 * Lists an agent's keys as they are: ssh2's own list leaves out certificates and FIDO keys, which a person must hear of.
 *
 * @throws Error when it does not answer
 */
export function listAgentKeys(socketPath: string): Promise<PublicKey[]> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath);
    let answer = Buffer.alloc(0);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const fail = (why: string): void => finish(() => reject(new Error(why)));
    const timer = setTimeout(() => fail(`no answer within ${ANSWER_MS / 1000} s`), ANSWER_MS);
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('it closed the connection'));
    // SSH_AGENTC_REQUEST_IDENTITIES (11): https://datatracker.ietf.org/doc/html/draft-ietf-sshm-ssh-agent
    socket.on('connect', () => socket.write(Buffer.from([0, 0, 0, 1, 11])));
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      const length = answer.length >= 4 ? answer.readUInt32BE(0) : 0;
      if (length > MOST_BYTES) fail('its answer cannot be understood');
      else if (answer.length >= 4 && answer.length >= 4 + length) {
        const keys = parseAnswer(answer.subarray(4, 4 + length));
        if (keys === undefined) fail('its answer cannot be understood');
        else finish(() => resolve(keys));
      }
    });
  });
}

/** SSH_AGENT_IDENTITIES_ANSWER (12): a count, then key and comment of each. */
function parseAnswer(body: Buffer): PublicKey[] | undefined {
  try {
    if (body.readUInt8(0) !== 12) return undefined;
    let at = 5;
    const readString = (): Buffer => {
      const end = at + 4 + body.readUInt32BE(at);
      if (end > body.length) throw new RangeError('cut short');
      const value = Buffer.from(body.subarray(at + 4, end));
      at = end;
      return value;
    };
    return Array.from({ length: Math.min(body.readUInt32BE(1), body.length) }, () => {
      const blob = readString();
      return { blob, comment: readString().toString('utf8'), type: keyTypeOf(blob) ?? 'unknown' };
    });
  } catch {
    return undefined;
  }
}

/** The agent, of which only one key is seen: each is offered by itself, in the order that Kubewright wants. */
export class OneKeyAgent extends OpenSSHAgent {
  readonly #key: ParsedKey;

  constructor(socketPath: string, key: ParsedKey) {
    super(socketPath);
    this.#key = key;
  }

  override getIdentities(callback: Parameters<OpenSSHAgentType['getIdentities']>[0]): void {
    callback(undefined, [this.#key]);
  }
}
