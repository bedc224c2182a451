import { writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createHosts } from '../../../src/hosts/index.js';
import { threadUnderTest } from './client.js';
import { serve, serveUnknown, useServers, where } from './served.js';
import { HOST_KEYS } from './ssh-server.js';

useServers();

describe('connecting', () => {
  test('refused is KW201, transient', async () => {
    const server = await serve();
    await server.stop();
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

test('an abort does not wait for a connection that is being made, and rejects with the reason itself', async () => {
  // Takes the connection and never says a word.
  const silent = net.createServer();
  const taken = new Promise<net.Socket>((resolve) => silent.once('connection', resolve));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const controller = new AbortController();
  const reason = new Error('cancelled by Temporal');
  const { port } = silent.address() as AddressInfo;
  const outcome = where
    .host(port)
    .run('true', { signal: controller.signal })
    .catch((error: unknown) => error);
  const socket = await taken;
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  socket.destroy();
  silent.close();
});

test('closing does not wait for a connection that is still being made, and leaves none behind', async () => {
  // Takes the connection and never says a word.
  const silent = net.createServer();
  const taken = new Promise<net.Socket>((resolve) => silent.once('connection', resolve));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const hosts = createHosts(where.cluster(port), { env: {}, homeDirectory: where.home, thread: threadUnderTest() });
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
    const gate = await serveUnknown();
    const bastion = { address: '127.0.0.1', port: gate.port, user: 'root', keyFiles: [where.keyFile] };
    await expect(where.host(inner.port, { bastion }).run('true')).rejects.toMatchObject({
      code: 'KW220',
      message: expect.stringContaining(`bastion 127.0.0.1 ([127.0.0.1]:${gate.port})`),
    });
    expect(inner.accepted).toBe(0);
  });
});
