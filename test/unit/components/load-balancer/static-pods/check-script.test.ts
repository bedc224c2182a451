import { execFile } from 'node:child_process';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { renderCheckScript } from '../../../../../src/components/load-balancer/static-pods/render/check-script.js';

let server: Server | undefined;
afterEach(() => void server?.close());

/** A monitor port of HAProxy that answers with this status, as HAProxy does. */
async function monitor(status: string): Promise<number> {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(`HTTP/1.0 ${status}\r\ncontent-type: text/html\r\n\r\n<html></html>\n`));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return (listening.address() as AddressInfo).port;
}

/** Whether keepalived's check succeeds against that port, in a real sh with a real wget. */
async function check(question: 'alive' | 'backend', port: number): Promise<boolean> {
  const script = renderCheckScript().replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`);
  return await promisify(execFile)('sh', ['-c', script, 'check-haproxy', question]).then(
    () => true,
    () => false,
  );
}

test('without an API server behind it a host is alive, and may have the virtual IP: within init none has one', async () => {
  const port = await monitor('503 Service Unavailable');
  expect(await check('alive', port)).toBe(true);
  expect(await check('backend', port)).toBe(false);
});

test('with an API server behind it a host has both', async () => {
  const port = await monitor('200 OK');
  expect(await check('alive', port)).toBe(true);
  expect(await check('backend', port)).toBe(true);
});

test('without HAProxy a host has neither', async () => {
  const port = await monitor('200 OK');
  await new Promise<void>((resolve) => server?.close(() => resolve()));
  server = undefined;
  expect(await check('alive', port)).toBe(false);
  expect(await check('backend', port)).toBe(false);
});
