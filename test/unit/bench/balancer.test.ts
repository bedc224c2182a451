import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Balancer } from '../../../lab/probes/balancer.js';

it('passes over a server that takes no connection, and ends what it carries when it is stopped', async () => {
  const held: Socket[] = [];
  // Answers, and never closes: as a host that lost its power.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    held.push(socket.on('error', () => {}));
    socket.on('data', (data) => socket.write(data));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const own = (free.address() as AddressInfo).port;
  free.close();
  await once(free, 'close');
  // Nobody listens at the first one.
  const balancer = await Balancer.start('127.0.0.1', own, ['::1', '127.0.0.1'], port);
  try {
    const client = connect(own, '127.0.0.1');
    client.write('hello');
    expect(String((await once(client, 'data'))[0])).toBe('hello');
    const closed = once(client, 'close');
    await balancer.stop();
    await closed;
  } finally {
    for (const socket of held) socket.destroy();
    server.close();
  }
});
