import { writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHosts } from '../../../src/hosts/index.js';
import { HOST_KEYS, type OnExec, pretendToRun, runLocally, SshServer, Surroundings, socketOf } from './ssh-server.js';

let where: Surroundings;
const servers: SshServer[] = [];

beforeEach(() => {
  where = new Surroundings();
});

afterEach(async () => {
  await where.end();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(options: Parameters<typeof SshServer.start>[0] = {}): Promise<SshServer> {
  const server = await SshServer.start(options);
  servers.push(server);
  where.trust(server);
  return server;
}

/** Behaves as `first` says for the first exec request, then runs commands. */
function onceThenRun(first: OnExec): OnExec {
  let calls = 0;
  return (...call) => (calls++ === 0 ? first : runLocally())(...call);
}

describe('a command', () => {
  test('gives back its output, both streams and its exit code', async () => {
    const host = where.host((await serve()).port);
    const result = await host.run('printf out; printf err >&2; exit 3', { allowFailure: true });
    expect(result).toMatchObject({ exitCode: 3, stdout: 'out', stderr: 'err' });
  });

  test('fails as KW410 with the last lines, redacted', async () => {
    const host = where.host((await serve()).port);
    await expect(host.run('echo using --token abcdef.0123456789abcdef >&2; exit 7')).rejects.toMatchObject({
      code: 'KW410',
      host: 'cp-1',
      exitCode: 7,
      transient: false,
      output: 'using --token [redacted]',
    });
  });

  test('keeps script and input out of the command line', async () => {
    const commands: string[] = [];
    const onExec: OnExec = (command, ...rest) => {
      commands.push(command);
      runLocally()(command, ...rest);
    };
    const host = where.host((await serve({ onExec })).port);
    const { stdout } = await host.run('echo canary-script; cat', { input: 'canary-input' });
    expect(stdout).toBe('canary-script\ncanary-input');
    expect(commands.join()).not.toContain('canary');
  });

  test('has nothing but its input on standard input', async () => {
    const host = where.host((await serve()).port);
    expect((await host.run('cat\necho end')).stdout).toBe('end\n');
    const binary = Buffer.from([0, 1, 2, 255, 10, 0]);
    expect((await host.run('od -An -tx1', { input: binary })).stdout.trim()).toBe('00 01 02 ff 0a 00');
  });

  test('survives any bytes in the script: quotes, umlauts, here-documents, no newline at the end', async () => {
    const host = where.host((await serve()).port);
    const script = `cat <<'E'\nit's "ä" \\ $HOME \`x\` !\nE\nprintf %s "$((1+1))"`;
    expect((await host.run(script)).stdout).toBe('it\'s "ä" \\ $HOME `x` !\n2');
  });

  test('delivers 5 MB whole', async () => {
    const host = where.host((await serve()).port);
    const { stdout } = await host.run('head -c 5000000 /dev/zero | tr "\\0" x');
    expect(stdout.length).toBe(5_000_000);
  });

  test('ends as 128 + n when a signal ended it', async () => {
    const host = where.host((await serve()).port);
    const result = await host.run('echo alive; kill -KILL $$', { allowFailure: true });
    expect(result).toMatchObject({ exitCode: 137, stdout: 'alive\n' });
  });

  test.each([254, 255])('that ends with %i has ended with it, and nothing is added to its words', async (code) => {
    const host = where.host((await serve()).port);
    const result = await host.run(`printf out; printf err >&2; exit ${code}`, { allowFailure: true });
    expect(result).toMatchObject({ exitCode: code, stdout: 'out', stderr: 'err' });
  });

  test('that prints noise from a login shell first is heard without it', async () => {
    const onExec: OnExec = (command, channel, connection) => {
      channel.write('Welcome to cp-1!\n');
      runLocally()(command, channel, connection);
    };
    const host = where.host((await serve({ onExec })).port);
    expect((await host.run('echo clean')).stdout).toBe('clean\n');
  });

  test.each([
    [
      "cloud-init's",
      `echo 'Please login as the user "debian" rather than the user "root".'; echo; exit 142`,
      'KW245',
      /Please login as the user "debian"/,
      /`ssh.user: debian`/,
    ],
    [
      'another',
      `echo 'use the login debian here'; echo; exit 142`,
      'KW245',
      /use the login debian here/,
      /ssh.user: debian/,
    ],
    [
      'nologin',
      `echo 'This account is currently not available.'; exit 1`,
      'KW235',
      /not available.” and ended/,
      /nologin/,
    ],
    ['a forced command on stderr', `echo 'only git here' >&2; exit 128`, 'KW235', /only git here/, /ForceCommand/],
    [
      'a missing bash',
      `echo 'sh: bash: not found' >&2; exit 127`,
      'KW235',
      /no working bash .*exit code 127/,
      /must be installed/,
    ],
  ])('that meets %s forced command says what was printed', async (_title, script, code, message, hint) => {
    for (const user of ['root', 'ops']) {
      const server = await serve({ onExec: (_command, ...rest) => runLocally()(script, ...rest) });
      const error = await where
        .host(server.port, { user })
        .run('true')
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code,
        transient: false,
        host: 'cp-1',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
        output: expect.stringMatching(/^[ -~\n]+$/),
      });
    }
  });

  test('shows nothing of what the login printed that is secret or steers a terminal', async () => {
    const words = String.raw`printf '\033[2J\033]0;title\007token: abcdef.0123456789abcdef\nnot here\n'; exit 1`;
    const server = await serve({ onExec: (_command, ...rest) => runLocally()(words, ...rest) });
    await expect(where.host(server.port).run('true')).rejects.toMatchObject({
      code: 'KW235',
      output: 'token: [redacted]\nnot here',
    });
  });

  test('takes the time for the login out of its own', async () => {
    const silent = net.createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    try {
      await expect(where.host(port).run('true', { timeoutMs: 100 })).rejects.toMatchObject({
        code: 'KW411',
        transient: true,
        message: expect.stringContaining('was not even started'),
      });
    } finally {
      silent.close();
    }
  });

  test('times out as KW411, transient', async () => {
    const host = where.host((await serve()).port);
    await expect(host.run('exec sleep 5', { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'KW411',
      transient: true,
    });
  });
});

describe('a broken connection', () => {
  const isLost = { code: 'KW203', host: 'cp-1', transient: true };

  test('in the middle of a command is KW203, and the next call connects again', async () => {
    const onExec = onceThenRun((command, channel, connection) => {
      pretendToRun(command, channel);
      channel.write('half');
      socketOf(connection).destroy();
    });
    const server = await serve({ onExec });
    const host = where.host(server.port);
    await expect(host.run('x')).rejects.toMatchObject(isLost);
    expect((await host.run('echo back')).stdout).toBe('back\n');
    expect(server.accepted).toBe(2);
  });

  test('is what a channel that closes without an exit code means; never success', async () => {
    const onExec: OnExec = (command, channel) => {
      pretendToRun(command, channel);
      channel.write('looks good');
      channel.close();
    };
    const host = where.host((await serve({ onExec })).port);
    await expect(host.run('x', { allowFailure: true })).rejects.toMatchObject(isLost);
  });

  test('found when the next command is sent costs that command nothing', async () => {
    const server = await serve();
    const host = where.host(server.port);
    await host.run('true');
    server.drop();
    expect((await host.run('echo again')).stdout).toBe('again\n');
  });

  test('never runs half of a script', async () => {
    // Standard input ends after 20 bytes, as it does when the connection breaks while the script travels.
    const onExec: OnExec = (command, channel, connection) => {
      runLocally()(`head -c 20 | { ${command}; }`, channel, connection);
    };
    const host = where.host((await serve({ onExec })).port);
    const result = await host.run('echo first-half-ran\necho second half', { allowFailure: true });
    expect(result).toMatchObject({ exitCode: 255, stdout: '' });
  });

  test('never feeds a script half of its input', async () => {
    const onExec: OnExec = (command, channel, connection) => {
      runLocally()(`head -c 20 | { ${command}; }`, channel, connection);
    };
    const host = where.host((await serve({ onExec })).port);
    const result = await host.run('cat', { input: 'x'.repeat(100), allowFailure: true });
    expect(result).toMatchObject({ exitCode: 255, stdout: '' });
  });
});

describe('connecting', () => {
  test('refused is KW201, transient', async () => {
    const server = await serve();
    await server.stop();
    servers.pop();
    await expect(where.host(server.port).run('true')).rejects.toMatchObject({
      code: 'KW201',
      transient: true,
      host: 'cp-1',
    });
  });

  test('to a name that does not exist is KW205, not transient', async () => {
    const host = where.host(22, { address: 'no-such-host.invalid' });
    const error = await host.run('true').catch((reason: unknown) => reason);
    // Without any DNS the answer is "try again", which is transient.
    expect(['KW205', 'KW202']).toContain((error as { code: string }).code);
  });

  test('with a key that is not accepted is KW210, not transient, and says what was tried', async () => {
    const server = await serve();
    writeFileSync(where.keyFile, HOST_KEYS.other.private);
    await expect(where.host(server.port).run('true')).rejects.toMatchObject({
      code: 'KW210',
      transient: false,
      message: expect.stringContaining(`tried key ${where.keyFile}`),
    });
  });

  test('to something that does not speak SSH is KW206', async () => {
    const plain = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(50));
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = plain.address() as AddressInfo;
      await expect(where.host(port).run('true')).rejects.toMatchObject({ code: 'KW206', transient: false });
    } finally {
      plain.close();
    }
  });

  test('to a server that hangs up at once is transient', async () => {
    const plain = net.createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = plain.address() as AddressInfo;
      await expect(where.host(port).run('true')).rejects.toMatchObject({ code: 'KW203', transient: true });
    } finally {
      plain.close();
    }
  });

  test('to a name that the cluster does not have is KW200', async () => {
    const hosts = createHosts(where.cluster(22), { env: {}, homeDirectory: where.home });
    expect(() => hosts.get('cp-9')).toThrow(expect.objectContaining({ code: 'KW200', host: 'cp-9' }));
  });
});

describe('channels', () => {
  test('share one connection, and are never more than eight', async () => {
    const server = await serve();
    const host = where.host(server.port);
    const results = await Promise.all(Array.from({ length: 30 }, (_, index) => host.run(`sleep 0.02; echo ${index}`)));
    expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 30 }, (_, index) => index));
    expect(server.accepted).toBe(1);
    expect(server.mostSessions).toBeGreaterThan(1);
    expect(server.mostSessions).toBeLessThanOrEqual(8);
  });
});

describe('an abort', () => {
  const reason = new Error('cancelled by Temporal');

  test('rejects with the reason itself while a command runs', async () => {
    const host = where.host((await serve()).port);
    const controller = new AbortController();
    const running = host.run('echo started; sleep 5', { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 50);
    await expect(running).rejects.toBe(reason);
  });

  test('rejects with the reason itself before anything was dialled', async () => {
    const server = await serve();
    await expect(where.host(server.port).run('true', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.accepted).toBe(0);
  });

  test('does not wait for a place in the queue', async () => {
    const host = where.host((await serve()).port);
    const busy = Array.from({ length: 8 }, () => host.run('sleep 0.5'));
    const controller = new AbortController();
    const queued = host.run('echo never-ran >&2', { signal: controller.signal });
    controller.abort(reason);
    const first = await Promise.race([queued.catch((error: unknown) => error), ...busy]);
    expect(first).toBe(reason);
    await Promise.all(busy);
  });

  test('of one caller leaves the others alone', async () => {
    const host = where.host((await serve()).port);
    const controller = new AbortController();
    const aborted = host.run('sleep 5', { signal: controller.signal });
    const other = host.run('sleep 0.1; echo alive');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect((await other).stdout).toBe('alive\n');
  });
});

test('closing does not wait for a connection that is still being made, and leaves none behind', async () => {
  // Takes the connection and never says a word.
  const silent = net.createServer();
  const taken = new Promise<net.Socket>((resolve) => silent.once('connection', resolve));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const hosts = createHosts(where.cluster(port), { env: {}, homeDirectory: where.home });
  const running = hosts.get('cp-1').run('true');
  const socket = await taken;
  const outcome = running.catch((error: unknown) => error);
  await hosts.close();
  socket.destroy();
  silent.close();
  expect(await outcome).toMatchObject({ code: 'KW203', transient: true });
});

describe('a bastion', () => {
  test('carries the connection, and its own key is checked under its own name', async () => {
    const inner = await serve();
    const gate = await serve();
    const bastion = { address: '127.0.0.1', port: gate.port, user: 'root', keyFiles: [where.keyFile] };
    expect((await where.host(inner.port, { bastion }).run('echo through')).stdout).toBe('through\n');
    expect(gate.accepted).toBe(1);
    expect(inner.accepted).toBe(1);
  });

  test('that cannot reach the host is KW201, transient, and says which of the two', async () => {
    const gate = await serve();
    const bastion = { address: '127.0.0.1', port: gate.port, user: 'root', keyFiles: [where.keyFile] };
    await expect(where.host(1, { bastion }).run('true')).rejects.toMatchObject({
      code: 'KW201',
      transient: true,
      message: expect.stringContaining('bastion 127.0.0.1 cannot reach cp-1'),
    });
  });

  test('that is unknown is refused although the host is known', async () => {
    const inner = await serve();
    const gate = await SshServer.start();
    servers.push(gate);
    const bastion = { address: '127.0.0.1', port: gate.port, user: 'root', keyFiles: [where.keyFile] };
    await expect(where.host(inner.port, { bastion }).run('true')).rejects.toMatchObject({
      code: 'KW220',
      message: expect.stringContaining(`bastion 127.0.0.1 ([127.0.0.1]:${gate.port})`),
    });
    expect(inner.accepted).toBe(0);
  });
});
