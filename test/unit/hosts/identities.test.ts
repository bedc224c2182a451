import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { AuthContext } from 'ssh2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprint } from '../../../src/hosts/connection/known-hosts.js';
import { notRunHere } from '../not-run.js';
import { acceptLoginKey, ed25519Key, SshServer, Surroundings } from './ssh-server.js';

/**
 * With OpenSSH's own agent and keys as `ssh-keygen` makes them, against a server that notes down which keys it is offered.
 */
const HAS_AGENT = spawnSync('ssh-keygen', ['-?']).error === undefined;

let where: Surroundings;
let server: SshServer;
let offered: string[];
const agents: number[] = [];

beforeEach(() => {
  where = new Surroundings();
  offered = [];
  mkdirSync(path.join(where.home, '.ssh'));
});
afterEach(async () => {
  await where.end();
  await server?.stop();
  for (const pid of agents.splice(0)) process.kill(pid);
});

/** Notes down each key once it is offered, and then does what `answer` says. */
async function serve(answer: (context: AuthContext) => void = acceptLoginKey): Promise<void> {
  server = await SshServer.start({
    authenticate: (context) => {
      if (context.method === 'publickey' && context.signature === undefined)
        offered.push(fingerprint(context.key.data));
      answer(context);
    },
  });
  where.trust(server);
}

async function startAgent(): Promise<{ socket: string; add(file: string): void }> {
  const socket = path.join(where.home, 'agent');
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  agents.push(child.pid as number);
  await expect.poll(() => existsSync(socket)).toBe(true);
  const add = (file: string): void => {
    const { status, stderr } = spawnSync('ssh-add', [file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    expect(status, String(stderr)).toBe(0);
  };
  return { socket, add };
}

/** Makes a key pair FILE and FILE.pub, and says how `ssh-keygen -l` calls it. */
function keygen(name: string, ...options: string[]): { file: string; print: string } {
  const file = path.join(where.home, '.ssh', name);
  spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file, ...options]);
  const [, print = ''] = spawnSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).stdout.split(' ');
  return { file, print };
}

/** The host, its user's configuration being this text. */
function host(config: string, socket: string | undefined, ssh: Parameters<Surroundings['host']>[1] = {}) {
  const file = path.join(where.home, '.ssh/config');
  writeFileSync(file, config);
  const settings = { agent: true, keyFiles: [], configFile: '~/.ssh/config', ...ssh };
  return where.host(server.port, settings, socket === undefined ? {} : { SSH_AUTH_SOCK: socket });
}

const acceptsOnly = (print: string) => (context: AuthContext) => {
  if (context.method === 'publickey' && fingerprint(context.key.data) === print) context.accept();
  else context.reject(['publickey']);
};

describe('of an agent with several keys, the one that is named', () => {
  /** Three keys in the agent; the second is the one that gets in. */
  async function three() {
    const agent = await startAgent();
    const keys = ['a', 'k', 'z'].map((name) => keygen(name));
    for (const { file } of keys) agent.add(file);
    const wanted = keys[1] as { file: string; print: string };
    await serve(acceptsOnly(wanted.print));
    return { agent, wanted };
  }
  const only = 'IdentitiesOnly yes\n';

  test('by its public half, the private one being in the agent alone', async (context) => {
    if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
    const { agent, wanted } = await three();
    rmSync(wanted.file);
    await host(`Host 127.0.0.1\n  IdentityFile ${wanted.file}.pub\n  ${only}`, agent.socket).run('true');
    expect(offered).toEqual([wanted.print]);
  });

  test('by the name of the private file that is not there', async (context) => {
    if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
    const { agent, wanted } = await three();
    rmSync(wanted.file);
    await host(`IdentityFile ${wanted.file}\n${only}`, agent.socket).run('true');
    expect(offered).toEqual([wanted.print]);
  });

  test('by an encrypted private key without a .pub beside it', async (context) => {
    if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
    const { agent, wanted } = await three();
    spawnSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret', '-f', wanted.file]);
    rmSync(`${wanted.file}.pub`);
    await host(`IdentityFile ${wanted.file}\n${only}`, agent.socket).run('true');
    expect(offered).toEqual([wanted.print]);
  });

  test('by ssh.keyFile, first, and before the others', async (context) => {
    if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
    const { agent, wanted } = await three();
    rmSync(wanted.file);
    await host('', agent.socket, { keyFiles: [`${wanted.file}.pub`] }).run('true');
    expect(offered).toEqual([wanted.print]);
  });

  test('and each only once, in the file, in the agent and named twice', async (context) => {
    if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
    const { agent, wanted } = await three();
    await server.stop();
    await serve((login) => login.reject(['publickey']));
    const copy = `${wanted.file}-copy`;
    copyFileSync(wanted.file, copy);
    const config = `Host *\n  IdentityFile ${wanted.file}\nHost 127.*\n  IdentityFile ${wanted.file}\n  IdentityFile ${copy}\n`;
    await expect(host(config, agent.socket).run('true')).rejects.toMatchObject({ code: 'KW210' });
    expect(offered).toHaveLength(3);
    expect(new Set(offered).size).toBe(3);
    expect(offered[0]).toBe(wanted.print);
  });
});

test('a public key file whose private half nobody holds is KW211', async (context) => {
  if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
  const agent = await startAgent();
  const { file } = keygen('k');
  await serve();
  await expect(host('', agent.socket, { keyFiles: [`${file}.pub`] }).run('true')).rejects.toMatchObject({
    code: 'KW211',
    message: `the key file ${file}.pub holds a public key, and the agent does not hold its private half`,
    hint: expect.stringContaining(`ssh-add ${file}\``),
  });
});

describe('a rejected login', () => {
  test('lists which keys were offered, from where, and what the server takes', async (context) => {
    if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
    const agent = await startAgent();
    const [mine, other] = [keygen('mine'), keygen('other')];
    agent.add(other.file);
    await serve((login) => login.reject(['publickey', 'password']));
    const config = `Host *\n  User ops\n  IdentityFile ${mine.file}\n  IdentityFile ~/nothing\n`;
    await expect(host(config, agent.socket).run('true')).rejects.toMatchObject({
      code: 'KW210',
      transient: false,
      message:
        `cp-1 at 127.0.0.1 port ${server.port} rejected the login of user ops; ` +
        `tried key ${mine.file} (ssh-ed25519 ${mine.print}, ${where.home}/.ssh/config:3), ` +
        `the agent's key other (ssh-ed25519 ${other.print}, agent); it accepts publickey, password; ` +
        `not tried: ${where.home}/nothing (${where.home}/.ssh/config:4) is not there`,
    });
  });

  test('by a server that takes passwords only says that keys are needed', async () => {
    await serve((login) => login.reject(['password']));
    await expect(where.host(server.port).run('true')).rejects.toMatchObject({
      code: 'KW210',
      message: expect.stringContaining('it accepts password'),
      hint: expect.stringContaining('Login by password is not supported'),
    });
  });

  test('of an agent with a certificate points to the client that can use it', async (context) => {
    if (!HAS_AGENT) notRunHere(context, 'there is no ssh-agent');
    const agent = await startAgent();
    const [authority, key] = [keygen('ca'), keygen('k')];
    spawnSync('ssh-keygen', ['-q', '-s', authority.file, '-I', 'ops', '-n', 'ops', `${key.file}.pub`]);
    agent.add(key.file);
    await serve((login) => login.reject(['publickey']));
    await expect(host('', agent.socket).run('true')).rejects.toMatchObject({
      code: 'KW210',
      message: expect.stringMatching(/not tried: .*the agent's certificate ssh-ed25519-cert-v01@openssh.com SHA256:/),
      hint: expect.stringContaining('ssh.client: openssh'),
    });
  });
});

describe('a key that the server takes while it wants more', () => {
  const wantsMore = (context: AuthContext): void => {
    if (context.method === 'publickey' && context.signature !== undefined)
      context.reject(['keyboard-interactive'], true);
    else if (context.method === 'publickey') context.accept();
    else context.reject(['publickey']);
  };

  test.each(['a file', 'the agent'])('from %s is KW242 and says what it wants', async (from) => {
    const agent = from === 'the agent' && HAS_AGENT ? await startAgent() : undefined;
    agent?.add(where.keyFile);
    await serve(wantsMore);
    const running = agent ? host('', agent.socket).run('true') : where.host(server.port).run('true');
    await expect(running).rejects.toMatchObject({
      code: 'KW242',
      transient: false,
      message: expect.stringMatching(
        /accepted the key of user root \(.*\); it also wants keyboard-interactive, which Kubewright cannot give/,
      ),
    });
  });

  test('goes on with a second key where the server wants two', async () => {
    const second = ed25519Key();
    const file = path.join(where.home, 'second');
    writeFileSync(file, second.private, { mode: 0o600 });
    const seen = new Set<string>();
    await serve((context) => {
      if (context.method !== 'publickey') return context.reject(['publickey']);
      if (context.signature === undefined) return context.accept();
      seen.add(fingerprint(context.key.data));
      if (seen.size === 2) context.accept();
      else context.reject(['publickey'], true);
    });
    await where.host(server.port, { keyFiles: [where.keyFile, file] }).run('true');
    expect(seen.size).toBe(2);
  });
});
