import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, type TestContext, test } from 'vitest';
import type { SshSettings } from '../../../../src/cluster/types.js';
import { OpensshPool } from '../../../../src/hosts/connection/openssh/pool.js';
import { createHosts, type RemoteHost } from '../../../../src/hosts/index.js';
import { clusterOf } from '../../cluster-fixture.js';
import { eventually } from '../../eventually.js';
import { useClient } from '../client.js';
import { Surroundings } from '../ssh-server.js';
import { generateKey, needsOpenssh, Sshd, sign } from './sshd.js';

useClient('openssh');

let where: Surroundings;
let sshd: Sshd | undefined;

beforeEach((context) => {
  needsOpenssh(context as unknown as TestContext);
  where = new Surroundings();
});
afterEach(async () => {
  await where?.end();
  await sshd?.stop();
  sshd = undefined;
});

/** A host served by a real sshd. Commands run as whoever runs the tests. */
async function serve(prepare?: (sshd: Sshd) => string): Promise<Sshd> {
  sshd = await Sshd.start(prepare);
  writeFileSync(where.knownHosts, sshd.knownAs);
  return sshd;
}

function host(server: Sshd, ssh: Partial<SshSettings> = {}, env: NodeJS.ProcessEnv = {}): RemoteHost {
  return where.host(server.port, { user: server.user, keyFiles: [server.keyFile], ...ssh }, env);
}

const echo = async (remote: RemoteHost): Promise<string> =>
  (await remote.run('echo "$SSH_CONNECTION" >/dev/null; echo in', { root: false })).stdout;

/** A configuration as a person has it, for `ssh.configFile`. */
function config(text: string): string {
  const file = path.join(where.home, 'ssh_config');
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('what the built-in client cannot do', () => {
  test('a user certificate logs in, and the bare key does not', async () => {
    const server = await serve((made) => {
      generateKey(made.file('authority'));
      generateKey(made.file('mine'));
      return `TrustedUserCAKeys ${made.file('authority')}.pub\nAuthorizedKeysFile none`;
    });
    const mine = { keyFiles: [server.file('mine')] };
    await expect(echo(host(server, mine))).rejects.toMatchObject({
      code: 'KW210',
      message: expect.stringContaining(`tried key ${server.file('mine')}`),
    });
    sign(server.file('authority'), `${server.file('mine')}.pub`, server.user);
    expect(await echo(host(server, mine))).toBe('in\n');
  });

  test('a host certificate stands for the key of every host of its authority', async () => {
    const server = await serve((made) => {
      generateKey(made.file('authority'));
      sign(made.file('authority'), `${made.hostKey}.pub`, '127.0.0.1', '-h');
      return `HostCertificate ${made.hostKey}-cert.pub`;
    });
    const authority = readFileSync(`${server.file('authority')}.pub`, 'utf8');
    writeFileSync(where.knownHosts, `@cert-authority * ${authority}`);
    expect(await echo(host(server))).toBe('in\n');
  });

  test('a host certificate for another host is KW273', async () => {
    const server = await serve((made) => {
      generateKey(made.file('authority'));
      sign(made.file('authority'), `${made.hostKey}.pub`, 'another.example.com', '-h');
      return `HostCertificate ${made.hostKey}-cert.pub`;
    });
    const authority = readFileSync(`${server.file('authority')}.pub`, 'utf8');
    writeFileSync(where.knownHosts, `@cert-authority * ${authority}`);
    await expect(echo(host(server))).rejects.toMatchObject({ code: 'KW273', transient: false });
  });

  test('a ProxyCommand carries the connection, is named in the log, and sees nothing of the worker but what ssh needs', async () => {
    const server = await serve();
    const pipe = path.join(where.home, 'pipe.mjs');
    const seen = path.join(where.home, 'seen');
    writeFileSync(
      pipe,
      `import net from 'node:net'; import fs from 'node:fs';
fs.writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.env));
const socket = net.connect(${server.port}, '127.0.0.1');
process.stdin.pipe(socket).pipe(process.stdout);
`,
    );
    const configFile = config(`Host *\n  ProxyCommand ${process.execPath} ${pipe} %h %p\n`);
    const env = { PATH: process.env.PATH, SUDO_PW: 'canary', SSH_ASKPASS: '/bin/false', DISPLAY: ':0' };
    const settings = { configFile, hostKeys: 'strict' as const, sudoPasswordEnv: 'SUDO_PW' };
    expect(await echo(host(server, settings, env))).toBe('in\n');
    const { SUDO_PW, SSH_ASKPASS, DISPLAY, SSH_ASKPASS_REQUIRE } = JSON.parse(readFileSync(seen, 'utf8'));
    expect([SUDO_PW, SSH_ASKPASS, DISPLAY, SSH_ASKPASS_REQUIRE]).toEqual([undefined, undefined, undefined, 'never']);
    expect(where.log.join('\n')).toContain(`by the ProxyCommand ${process.execPath}`);
  });
});

describe('the configuration that ssh reads', () => {
  test('an alias leads to its host, and to the user and port that stand there', async () => {
    const server = await serve();
    const configFile = config(
      `Host cp\n  HostName 127.0.0.1\n  User ${server.user}\n  Port ${server.port}\n  IdentityFile ${server.keyFile}\n`,
    );
    const aliased = where.host(22, { address: 'cp', configFile, keyFiles: [] });
    expect(await echo(aliased)).toBe('in\n');
  });

  test('does not disturb: forwardings, remote commands, terminals, silence, own control connections', async () => {
    const server = await serve();
    const configFile = config(`Host *
  LocalForward 1 127.0.0.1:1
  ExitOnForwardFailure yes
  RemoteCommand tmux
  RequestTTY force
  LogLevel QUIET
  ControlMaster auto
  ControlPath ${where.home}/own-%C
  ControlPersist 60
  StrictHostKeyChecking no
  BatchMode no
  UserKnownHostsFile /dev/null
`);
    expect(await echo(host(server, { configFile }))).toBe('in\n');
    writeFileSync(where.knownHosts, '');
    await expect(echo(host(server, { configFile }))).rejects.toMatchObject({ code: 'KW220' });
  });

  test('with a mistake in it is KW240 with its place, before anything is dialled', async () => {
    const server = await serve();
    const configFile = config('Host *\n  Frobnicate yes\n');
    await expect(echo(host(server, { configFile }))).rejects.toMatchObject({
      code: 'KW240',
      transient: false,
      message: expect.stringMatching(/ssh_config: line 2: Bad configuration option: frobnicate/),
    });
    expect(server.log).not.toContain('publickey');
  });

  test('adds and removes no key in known_hosts by itself', async () => {
    const server = await serve((made) => {
      generateKey(made.file('second'), '-t', 'ecdsa');
      return `HostKey ${made.file('second')}`;
    });
    const before = readFileSync(where.knownHosts, 'utf8');
    expect(await echo(host(server, { configFile: config('UpdateHostKeys yes\n') }))).toBe('in\n');
    expect(readFileSync(where.knownHosts, 'utf8')).toBe(before);
  });
});

describe('what the host answers', () => {
  test('a second factor is KW242', async () => {
    const server = await serve(() => 'PasswordAuthentication yes\nAuthenticationMethods publickey,password');
    await expect(echo(host(server))).rejects.toMatchObject({
      code: 'KW242',
      transient: false,
      message: expect.stringContaining('wants a second factor'),
    });
  });

  test('keyboard-interactive alone is refused at once: nobody is asked', async () => {
    const server = await serve(() => 'KbdInteractiveAuthentication yes\nPubkeyAuthentication no');
    await expect(echo(host(server))).rejects.toMatchObject({
      code: expect.stringMatching(/^KW21[02]$/),
      transient: false,
    });
  });

  test.each([
    ['with words and an exit code', 'echo no commands here; exit 1'],
    ['with 255, as ssh itself would', 'echo no commands here >&2; exit 255'],
  ])('a forced command %s is KW235, with what it said', async (_title, command) => {
    const server = await serve((made) => {
      writeFileSync(made.file('authorized'), `command="${command}" ${readFileSync(`${made.keyFile}.pub`, 'utf8')}`);
      return `AuthorizedKeysFile ${made.file('authorized')}`;
    });
    await expect(echo(host(server))).rejects.toMatchObject({ code: 'KW235', transient: false });
  });

  test('a bastion of cluster.yaml carries all hosts behind it on one connection', async () => {
    const server = await serve();
    const gate = await Sshd.start();
    const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
    const bastion = { address: '127.0.0.1', port: gate.port, user: gate.user, keyFiles: [gate.keyFile] };
    const [like] = where.cluster(server.port, { user: server.user, keyFiles: [server.keyFile], bastion }).hosts;
    for (const each of cluster.hosts) if (like) each.ssh = like.ssh;
    const hosts = createHosts(cluster, { env: {}, homeDirectory: where.home });
    try {
      writeFileSync(where.knownHosts, server.knownAs + gate.knownAs);
      await Promise.all(cluster.hosts.map(({ name }) => echo(hosts.get(name))));
      expect(server.log.match(/Accepted publickey/g)).toHaveLength(3);
      expect(gate.log.match(/Accepted publickey/g)).toHaveLength(1);
    } finally {
      await hosts.close();
      await gate.stop();
    }
  });

  test('a bastion that may not forward is KW243', async () => {
    const server = await serve();
    const gate = await Sshd.start(() => 'AllowTcpForwarding no');
    try {
      writeFileSync(where.knownHosts, server.knownAs + gate.knownAs);
      const bastion = { address: '127.0.0.1', port: gate.port, user: gate.user, keyFiles: [gate.keyFile] };
      await expect(echo(host(server, { bastion }))).rejects.toMatchObject({
        code: 'KW243',
        transient: false,
        message: expect.stringContaining('bastion 127.0.0.1 may not forward to cp-1'),
      });
    } finally {
      await gate.stop();
    }
  });

  test.each([1, 2])('with MaxSessions %i more commands at once go over further connections', async (sessions) => {
    const server = await serve(() => `MaxSessions ${sessions}`);
    const remote = host(server);
    const gate = path.join(where.home, 'gate');
    const started = (index: number): string => path.join(where.home, `started-${index}`);
    const held = Array.from({ length: 4 }, (_, index) =>
      remote.run(`touch ${started(index)}; until [ -e ${gate} ]; do sleep 0.05; done; echo ${index}`, { root: false }),
    );
    await eventually(() => held.every((_, index) => existsSync(started(index))), 'all run at once');
    expect(server.log.match(/Accepted publickey/g)).toHaveLength(4 / sessions);
    writeFileSync(gate, '');
    expect((await Promise.all(held)).map(({ stdout }) => stdout)).toEqual(['0\n', '1\n', '2\n', '3\n']);
  });

  test('a signal, which a command gets at its time limit, ends it there', async () => {
    const server = await serve();
    const [like] = where.cluster(server.port, { user: server.user, keyFiles: [server.keyFile] }).hosts;
    const pool = new OpensshPool({ env: {}, homeDirectory: where.home }, () => undefined);
    try {
      if (like === undefined) throw new Error('no host');
      const { channel } = await pool.connection(like).exec(`bash --norc -c 'echo $$; while :; do sleep 0.05; done'`);
      const pid = Number(await new Promise((resolve) => channel.once('data', resolve)));
      expect(pid).toBeGreaterThan(1);
      const closed = new Promise((resolve) => channel.once('close', resolve));
      channel.signal('TERM');
      await closed;
      await eventually(() => !isAlive(pid), 'it is gone');
    } finally {
      await pool.close();
    }
  });
});

describe('the program', () => {
  const bin = (script: string): string => {
    const directory = path.join(where.home, 'bin');
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'ssh'), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(directory, 'ssh'), 0o755);
    return directory;
  };

  test('that is not there is KW270', async () => {
    const remote = where.host(22, {}, { PATH: where.home });
    await expect(remote.run('true')).rejects.toMatchObject({ code: 'KW270', host: 'cp-1', transient: false });
  });

  test.each([
    ['too old', 'echo "OpenSSH_7.4p1, OpenSSL 1.0.2k-fips" >&2', 'OpenSSH_7.4p1'],
    ['another one', 'echo "Dropbear v2022.83" >&2', 'Dropbear v2022.83'],
  ])('that is %s is KW271 and named', async (_title, script, name) => {
    const remote = where.host(22, {}, { PATH: bin(script) });
    await expect(remote.run('true')).rejects.toMatchObject({
      code: 'KW271',
      transient: false,
      message: expect.stringContaining(name),
    });
  });
});
