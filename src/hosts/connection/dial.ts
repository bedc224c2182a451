import net from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type Client as SshClient } from 'ssh2';
import { type KubewrightError, messageOf } from '../../errors.js';
import { hostError } from '../errors.js';
import type { Hop } from './hop.js';
import { HostKeyCheck } from './host-keys.js';
import { readCredentials } from './identities.js';
import { Login } from './login.js';

const { Client } = ssh2;

/**
 * A host that is off answers nothing; on the same subnet ARP gives up after 3 s, beyond a router nobody says anything.
 * Short, because an attempt that began while the host was off waits longer and longer between its SYN packets.
 */
const CONNECT_TIMEOUT_MS = 5_000;

/** From the first byte to the end of authentication; a busy host of two cores stays well below. */
const HANDSHAKE_TIMEOUT_MS = 20_000;

/** A ping this often, see `Connection`: three unanswered ones are a lost connection. */
export const KEEPALIVE_INTERVAL_MS = 3_000;

/**
 * Connects and authenticates one hop. Every failure is a typed KubewrightError; the client it returns has an `error`
 * listener, so a late error cannot crash the process.
 *
 * @param via stream through the bastion before, or undefined to connect directly
 */
export async function dial(hop: Hop, host: string, via?: Duplex): Promise<SshClient> {
  const check = new HostKeyCheck(hop, host);
  const login = new Login(hop, host, await readCredentials(hop, host));
  const socket = via ?? (await connectTcp(hop, host));
  try {
    return await handshake(hop, host, socket, check, login);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function connectTcp(hop: Hop, host: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: hop.address, port: hop.port, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(tcpError(hop, host, Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    }, CONNECT_TIMEOUT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(tcpError(hop, host, error));
    });
  });
}

function tcpError(hop: Hop, host: string, error: NodeJS.ErrnoException): KubewrightError {
  const place = `${hop.label} at ${hop.address} port ${hop.port}`;
  switch (error.code) {
    case 'ECONNREFUSED':
      return hostError('refused', `${place} refused the connection`, {
        host,
        hint: 'It goes on by itself once sshd answers there: is the host still booting, or sshd on another port?',
        cause: error,
      });
    case 'ENOTFOUND':
      return hostError('nameNotResolved', `${place}: there is no such name`, {
        host,
        hint: 'Check the address in cluster.yaml, and the DNS of the machine that runs the worker.',
        cause: error,
      });
    case 'EAI_AGAIN':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
      return hostError('unreachable', `${place} does not answer (${error.code})`, {
        host,
        hint: 'It goes on by itself once the host answers: is it switched on, and is the network between open?',
        cause: error,
      });
    default:
      return hostError('connectionLost', `cannot connect to ${place}: ${messageOf(error)}`, { host, cause: error });
  }
}

/** What was seen of a handshake that did not come to its end. */
interface Attempt {
  hop: Hop;
  host: string;
  check: HostKeyCheck;
  login: Login;
  /** What the peer said first. */
  greeting?: string;
}

function handshake(hop: Hop, host: string, socket: Duplex, check: HostKeyCheck, login: Login): Promise<SshClient> {
  const attempt: Attempt = { hop, host, check, login };
  const client = new Client();
  return new Promise((resolve, reject) => {
    client.on('error', (error: Error & { level?: string }) => {
      // An agent that does not answer is no end: ssh2 goes on with the next method.
      if (error.level === 'agent') login.agentFailed(error);
      else reject(handshakeError(attempt, error));
    });
    client.once('close', () => reject(handshakeError(attempt, new Error('the connection was closed'))));
    client.once('handshake', () => {
      try {
        check.recordProvenKey();
      } catch (error) {
        reject(error);
        client.end();
      }
    });
    client.once('ready', () => resolve(client));
    client.connect({
      sock: socket as net.Socket,
      username: hop.user,
      readyTimeout: HANDSHAKE_TIMEOUT_MS,
      // Sends the pings; `Connection` decides what silence means, for ssh2 counts only the answers to its pings and
      // would drop a connection whose answers wait behind a large upload.
      keepaliveInterval: KEEPALIVE_INTERVAL_MS,
      keepaliveCountMax: Number.MAX_SAFE_INTEGER,
      algorithms: { serverHostKey: check.algorithms },
      hostVerifier: (key: Buffer) => check.verify(key),
      authHandler: (() => login.next()) as never,
    });
    login.watch(client);
    socket.once('data', (chunk: Buffer) => {
      attempt.greeting = chunk.toString('latin1', 0, 200);
    });
  });
}

function handshakeError(attempt: Attempt, error: Error & { level?: string }): Error {
  const { hop, host, check, login } = attempt;
  if (check.refusal) return check.refusal;
  const place = `${hop.label} at ${hop.address} port ${hop.port}`;
  if (error.level === 'client-authentication' || /authentication failures/i.test(error.message)) {
    return login.rejection(error);
  }
  if (error.level === 'client-timeout') {
    return hostError('unreachable', `${place} took the connection but did not finish the SSH handshake`, {
      host,
      cause: error,
    });
  }
  const isProtocolError = error.level === 'protocol' && !/Connection lost/.test(error.message);
  if (error.level === 'handshake' || isProtocolError || isSomethingElse(attempt.greeting)) {
    const words = isSomethingElse(attempt.greeting) ? `; it said ${JSON.stringify(attempt.greeting)}` : '';
    return hostError('handshakeFailed', `${place} does not speak SSH as Kubewright does: ${error.message}${words}`, {
      host,
      hint: 'Is it an SSH server? It must offer curve25519-sha256 or ECDH, and an Ed25519, ECDSA or RSA host key.',
      cause: error,
    });
  }
  return hostError('connectionLost', `the connection to ${place} broke during the handshake: ${error.message}`, {
    host,
    cause: error,
  });
}

/**
 * True when another protocol answered. A positive list: an sshd that is too busy, or about to go down, may say a word of
 * its own before it hangs up, and that heals by itself.
 */
function isSomethingElse(greeting: string | undefined): boolean {
  return greeting !== undefined && /^(HTTP\/|<|220[ -]|\* OK|\+OK|RFB )/.test(greeting);
}
