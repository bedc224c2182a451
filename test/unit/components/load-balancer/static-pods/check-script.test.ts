import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, expect, test } from 'vitest';
import { renderCheckScript } from '../../../../../src/components/load-balancer/static-pods/render/check-script.js';

/** What busybox's nc does with these arguments; not every machine has one. */
const bin = mkdtempSync(join(tmpdir(), 'kubewright-nc-'));
writeFileSync(
  join(bin, 'nc'),
  '#!/bin/bash\n[ "$1 $2" = "-w 1" ] && exec 3<>"/dev/tcp/$3/$4" || exit 1\ncat >&3\ncat <&3\n',
);
chmodSync(join(bin, 'nc'), 0o755);
afterAll(() => rmSync(bin, { recursive: true, force: true }));

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

/** Whether keepalived's check succeeds against that port, in a real sh. */
async function check(question: 'alive' | 'backend', port: number): Promise<boolean> {
  const script = renderCheckScript().replace(/127\.0\.0\.1 \d+/, `127.0.0.1 ${port}`);
  const env = { PATH: `${bin}:${process.env.PATH}` };
  return await promisify(execFile)('sh', ['-c', script, 'check-haproxy', question], { env }).then(
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
