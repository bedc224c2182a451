import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { clientUnderTest } from './client.js';
import {
  ed25519Key,
  LOGIN_KEY,
  type OnExec,
  runLocally,
  type ServerOptions,
  SshServer,
  Surroundings,
} from './ssh-server.js';

let where: Surroundings;
let server: SshServer;
const agents: net.Server[] = [];

beforeEach(() => {
  where = new Surroundings();
});
afterEach(async () => {
  vi.useRealTimers();
  await where.end();
  await server?.stop();
  for (const agent of agents.splice(0)) agent.close();
});

async function serve(options: ServerOptions = {}): Promise<void> {
  server = await SshServer.start(options);
  where.trust(server);
}

/** An agent that holds the login key, answered by ssh2's own agent protocol. */
async function startAgent(): Promise<string> {
  const socketPath = path.join(where.home, 'agent.sock');
  const key = ssh2.utils.parseKey(LOGIN_KEY.private);
  if (key instanceof Error) throw key;
  const agent = net.createServer((socket) => {
    const protocol = new ssh2.AgentProtocol(false);
    protocol.on('identities', (request) => protocol.getIdentitiesReply(request, [key]));
    protocol.on('sign', (request, _key, data) => protocol.signReply(request, key.sign(data) as Buffer));
    socket.on('error', () => undefined);
    socket.on('data', refuseExtensions(socket, protocol));
    protocol.pipe(socket);
  });
  agents.push(agent);
  await new Promise<void>((resolve) => agent.listen(socketPath, resolve));
  return socketPath;
}

/**
 * OpenSSH binds an agent to a session with a message of its own first. ssh2's agent does not skip its bytes, so it is
 * refused here: an agent may do that.
 */
function refuseExtensions(socket: net.Socket, protocol: NodeJS.WritableStream): (chunk: Buffer) => void {
  const [EXTENSION, FAILURE] = [27, 5];
  let held = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 5 && held.length >= 4 + held.readUInt32BE(0)) {
      const message = held.subarray(0, 4 + held.readUInt32BE(0));
      held = held.subarray(message.length);
      if (message[4] === EXTENSION) socket.write(Buffer.from([0, 0, 0, 1, FAILURE]));
      else protocol.write(message);
    }
  };
}

describe('a key file', () => {
  test('that is not there is KW211 with its path', async () => {
    await serve();
    await expect(where.host(server.port, { keyFiles: ['/no/key'] }).run('true')).rejects.toMatchObject({
      code: 'KW211',
      transient: false,
      message: 'the key file /no/key is not there',
    });
  });

  test('that is encrypted is KW211 without an agent, and says how to load it into one', async () => {
    await serve();
    const encrypted = ed25519Key({
      passphrase: 'secret',
      cipher: 'aes256-ctr',
      rounds: 1,
    });
    writeFileSync(where.keyFile, encrypted.private);
    await expect(where.host(server.port).run('true')).rejects.toMatchObject({
      code: 'KW211',
      message: `the key file ${where.keyFile} is encrypted, and no agent is asked`,
      hint: expect.stringContaining(`ssh-add ${where.keyFile}`),
    });
  });

  test('that is encrypted is left to the agent', async () => {
    await serve();
    const encrypted = ed25519Key({
      passphrase: 'secret',
      cipher: 'aes256-ctr',
      rounds: 1,
    });
    writeFileSync(where.keyFile, encrypted.private);
    const host = where.host(server.port, { agent: true }, { SSH_AUTH_SOCK: await startAgent() });
    expect((await host.run('echo in')).stdout).toBe('in\n');
  });

  test.each([
    ['a public key', LOGIN_KEY.public, /public key/],
    ['something else', 'hello', /no private key/],
    ['nothing', '', /no private key|empty/],
  ])('that holds %s is KW211', async (_title, content, message) => {
    await serve();
    writeFileSync(where.keyFile, content);
    await expect(where.host(server.port).run('true')).rejects.toMatchObject({
      code: 'KW211',
      message: expect.stringMatching(message),
    });
  });
});

describe('the agent', () => {
  test('logs in', async () => {
    await serve();
    const host = where.host(server.port, { agent: true, keyFiles: [] }, { SSH_AUTH_SOCK: await startAgent() });
    expect((await host.run('echo in')).stdout).toBe('in\n');
  });

  test('is not asked with agent: false; then there is nothing to log in with', async () => {
    await serve();
    const configFile = path.join(where.home, 'config');
    writeFileSync(configFile, `IdentityFile ${where.home}/none\n`);
    const settings = { agent: false, keyFiles: [], configFile };
    const host = where.host(server.port, settings, { SSH_AUTH_SOCK: await startAgent() });
    await expect(host.run('true')).rejects.toMatchObject({ code: 'KW212', transient: false });
  });

  test('that does not answer is named, as is that nothing else is there', async () => {
    await serve();
    const host = where.host(server.port, { agent: true, keyFiles: [] }, { SSH_AUTH_SOCK: '/no/agent' });
    await expect(host.run('true')).rejects.toMatchObject({
      code: 'KW212',
      message: expect.stringMatching(/the agent at \/no\/agent did not answer \(/),
    });
  });

  test('offers only the configured identities with IdentitiesOnly', async () => {
    await serve();
    mkdirSync(path.join(where.home, '.ssh'));
    const config = path.join(where.home, '.ssh/config');
    const socket = await startAgent();
    const other = ed25519Key();
    writeFileSync(path.join(where.home, 'mine.pub'), other.public);
    writeFileSync(config, `IdentitiesOnly yes\nIdentityFile ${where.home}/mine\n`);
    const settings = { agent: true, keyFiles: [], configFile: config };
    await expect(where.host(server.port, settings, { SSH_AUTH_SOCK: socket }).run('true')).rejects.toMatchObject({
      // `ssh` offers a public half although nobody holds the private one.
      code: clientUnderTest() === 'openssh' ? 'KW210' : 'KW212',
    });
    writeFileSync(path.join(where.home, 'mine.pub'), LOGIN_KEY.public);
    expect((await where.host(server.port, settings, { SSH_AUTH_SOCK: socket }).run('echo in')).stdout).toBe('in\n');
  });
});

/**
 * A stand-in for sudo with sudo's own prompts and words, so that each refusal can be had on any machine. The lab runs
 * the same against the real one.
 */
describe('sudo', () => {
  const PASSWORD = 'correct horse canary';

  async function withSudo(behaviour: string, password?: string) {
    const bin = path.join(where.home, 'bin');
    mkdirSync(bin);
    const log = path.join(where.home, 'sudo.log');
    writeFileSync(
      path.join(bin, 'sudo'),
      `#!/bin/bash
printf '%s\\n' "$*" >>${log}
prompt=; ask=yes
while [ $# -gt 0 ]; do case $1 in -n) ask=no; shift ;; -k | -S) shift ;; -p) prompt=$2; shift 2 ;; --) shift; break ;; *) break ;; esac; done
${behaviour}
`,
    );
    chmodSync(path.join(bin, 'sudo'), 0o755);
    const commands: string[] = [];
    const onExec: OnExec = (command, ...rest) => {
      commands.push(command);
      runLocally({ ...process.env, PATH: `${bin}:${process.env.PATH}` })(command, ...rest);
    };
    await serve({ onExec });
    const env = password === undefined ? {} : { SUDO_PW: password };
    return { host: where.host(server.port, { user: 'ops', sudoPasswordEnv: 'SUDO_PW' }, env), commands };
  }

  const WANTS_PASSWORD = `
if [ $ask = no ]; then echo 'sudo: a password is required' >&2; exit 1; fi
echo 'We trust you have received the usual lecture from the local System' >&2
for try in 1 2 3; do
  printf %s "$prompt" >&2
  IFS= read -r line || { echo 'sudo: no password was provided' >&2; exit 1; }
  [ "$line" = '${PASSWORD}' ] && exec "$@"
  echo 'Sorry, try again.' >&2
done
exit 1`;

  test('without a password runs the command; it is asked once a connection', async () => {
    const { host, commands } = await withSudo('exec "$@"');
    expect((await host.run('echo one')).stdout).toBe('one\n');
    expect((await host.run('cat', { input: 'two' })).stdout).toBe('two');
    expect(commands.filter((command) => / -k -n /.test(command))).toHaveLength(1);
    expect(commands).toHaveLength(3);
  });

  test('is not used for a command that needs no root', async () => {
    const { host, commands } = await withSudo('exit 1');
    expect((await host.run('echo plain', { root: false })).stdout).toBe('plain\n');
    expect(commands.join()).not.toContain('sudo');
  });

  test('with a password gets it on standard input, never in argv, and the script does not see it', async () => {
    const { host, commands } = await withSudo(WANTS_PASSWORD, PASSWORD);
    const result = await host.run('echo script; cat; echo problem >&2', { input: 'input' });
    expect(result).toMatchObject({ stdout: 'script\ninput', stderr: 'problem\n' });
    expect(commands.join()).not.toContain('canary');
    expect((await host.run('cat')).stdout).toBe('');
  });

  /** As sudo-rs 0.2 says it. */
  const SUDO_RS = WANTS_PASSWORD.replace(
    'sudo: a password is required',
    'sudo: interactive authentication is required',
  );

  test.each([
    [
      'sudo-rs, which puts the prompt into its own',
      SUDO_RS.replace('printf %s "$prompt" >&2', `printf %s "[sudo: $prompt" >&2; printf %s "] Password: " >&2`),
    ],
    [
      'a sudo-rs that ignores -p',
      SUDO_RS.replace('printf %s "$prompt" >&2', `printf %s "[sudo: authenticate] Password: " >&2`),
    ],
    [
      "a rule that overrides the prompt by sudo's own",
      WANTS_PASSWORD.replace('printf %s "$prompt" >&2', `printf %s "[sudo] password for ops: " >&2`),
    ],
    [
      'a PAM that asks by itself',
      WANTS_PASSWORD.replace('printf %s "$prompt" >&2', `printf %s "Password for ops@EXAMPLE.ORG: " >&2`),
    ],
  ])('%s gets the password, once', async (_title, behaviour) => {
    const { host } = await withSudo(behaviour, PASSWORD);
    expect((await host.run('cat', { input: 'input' })).stdout).toBe('input');
  });

  test('of the Rust kind wants a password: KW230 without one, KW231 with a wrong one', async () => {
    const { host } = await withSudo(SUDO_RS);
    await expect(host.run('true')).rejects.toMatchObject({ code: 'KW230' });
    const wrong = where.host(server.port, { user: 'ops', sudoPasswordEnv: 'SUDO_PW' }, { SUDO_PW: 'wrong canary' });
    await expect(wrong.run('true')).rejects.toMatchObject({ code: 'KW231' });
  });

  test('that hangs before it says whether it wants a password is KW411, and asked anew by the next', async () => {
    const flag = path.join(where.home, 'mended');
    const { host, commands } = await withSudo(`[ -e ${flag} ] || exec sleep 60; exec "$@"`);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const outcome = host.run('true', { timeoutMs: 90_000 }).catch((reason: unknown) => reason);
    await expect.poll(() => commands.length).toBe(1);
    await expect.poll(() => existsSync(path.join(where.home, 'sudo.log'))).toBe(true);
    vi.advanceTimersByTime(25_000);
    expect(await outcome).toMatchObject({ code: 'KW411', transient: true });
    vi.useRealTimers();
    writeFileSync(flag, '');
    expect((await host.run('echo served')).stdout).toBe('served\n');
  });

  test('that has the password cached leaves no password line in the stream', async () => {
    // Wants one when asked without, and none afterwards: the case in which a blind `sudo -S` feeds it to the script.
    const { host } = await withSudo(
      `[ $ask = yes ] || { echo 'sudo: a password is required' >&2; exit 1; }\nexec "$@"`,
      PASSWORD,
    );
    expect((await host.run('cat', { input: 'only this' })).stdout).toBe('only this');
  });

  test('with a wrong password is KW231 after one guess, and the password is not in the error', async () => {
    const { host } = await withSudo(WANTS_PASSWORD, 'wrong canary');
    const error = await host.run('true').catch((reason: unknown) => reason as Error & { output: string });
    expect(error).toMatchObject({ code: 'KW231', transient: false, host: 'cp-1' });
    expect(JSON.stringify(error) + (error as Error).message).not.toContain('wrong canary');
  });

  test('that wants a password when none is set is KW230 and names the variable', async () => {
    const { host } = await withSudo(WANTS_PASSWORD);
    await expect(host.run('true')).rejects.toMatchObject({
      code: 'KW230',
      transient: false,
      message: expect.stringContaining('SUDO_PW'),
    });
  });

  test.each([
    ['KW232', 'is not in the sudoers file', 'ops is not in the sudoers file.  This incident will be reported.'],
    ['KW232', 'is refused by sudo-rs', "sudo: I'm sorry ops. I'm afraid I can't do that"],
    ['KW232', 'may not run it', 'Sorry, user ops is not allowed to execute "/bin/bash" as root on cp-1.'],
    ['KW233', 'requires a terminal', 'sudo: sorry, you must have a tty to run sudo'],
    ['KW234', 'is not installed', 'env: sudo: No such file or directory'],
  ])('%s: the user %s', async (code, _title, words) => {
    const { host } = await withSudo(`echo ${JSON.stringify(words)} >&2; exit 1`, PASSWORD);
    await expect(host.run('true')).rejects.toMatchObject({ code, transient: false, output: words });
  });

  test('that refuses only after the password is KW232', async () => {
    const { host } = await withSudo(
      `if [ $ask = no ]; then echo 'sudo: a password is required' >&2; exit 1; fi
printf %s "$prompt" >&2; read -r line; echo 'ops is not in the sudoers file.' >&2; exit 1`,
      PASSWORD,
    );
    await expect(host.run('true')).rejects.toMatchObject({ code: 'KW232' });
  });
});
