import { createServer, type Server as TcpServer } from 'node:net';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { READY } from '../../../src/hosts/connection/privilege.js';
import type { FakeHost } from './host.js';
import { Input } from './input.js';
import { play } from './scripts.js';

const { Server, utils } = ssh2;

/** Keys that every host of one process has, and the one that is let in. */
export interface FakeKeys {
  /** Private host key. */
  host: string;
  /** Public key that logs in, as a line of authorized_keys. */
  login: string;
}

/** Lets a fake host listen for SSH on a port of 127.0.0.1, which the system chooses. */
export function listen(host: FakeHost, keys: FakeKeys): Promise<number> {
  const login = utils.parseKey(keys.login);
  if (login instanceof Error) throw login;
  const server = new Server({ hostKeys: [keys.host] }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => {
      if (context.method !== 'publickey' || !context.key.data.equals(login.getPublicSSH())) {
        context.reject(['publickey']);
      } else if (context.signature === undefined) context.accept();
      else if (login.verify(context.blob as Buffer, context.signature, context.hashAlgo)) context.accept();
      else context.reject(['publickey']);
    });
    serve(host, connection);
  });
  return opened(server as unknown as TcpServer);
}

/** A host that takes connections and never says a word, as one whose system hangs. */
export function listenInSilence(): Promise<number> {
  return opened(createServer((socket) => socket.on('error', () => undefined)));
}

function opened(server: TcpServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}

function serve(host: FakeHost, connection: Connection): void {
  connection.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => void exec(host, command, acceptExec()));
  });
}

/** What the command line of src/hosts/connection/privilege.ts does with root's own login. */
async function exec(host: FakeHost, command: string, channel: ServerChannel): Promise<void> {
  channel.on('error', () => undefined);
  const input = new Input(channel);
  channel.write(READY);
  const length = /kw=\$\(head -c (\d+); printf x\)/.exec(command)?.[1];
  const text = length === undefined ? undefined : await input.bytes(Number(length));
  if (text === undefined) return void end(channel, 255);
  const inputLength =
    /head -c (\d+) >"\$kwf"/.exec(command)?.[1] ?? (/exec <\/dev\/null/.test(command) ? '0' : undefined);
  const given = inputLength === undefined ? undefined : await input.bytes(Number(inputLength));
  const code = await play(
    host,
    { text: text.toString('utf8'), given, input: given === undefined ? input : Input.of(given) },
    {
      out: (said) => void channel.write(said),
      err: (said) => void channel.stderr.write(said),
    },
  );
  end(channel, code);
}

function end(channel: ServerChannel, code: number): void {
  if (channel.destroyed) return;
  channel.exit(code);
  channel.end(() => channel.close());
}
