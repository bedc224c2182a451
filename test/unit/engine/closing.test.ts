import { once } from 'node:events';
import { createServer } from 'node:net';
import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import { Connection } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import { ClosingCalls } from '../../../src/engine/closing.js';

/** A port of this machine at which nobody listens any more. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

test('a call that waits for its next attempt ends when its connection is closed, and the process goes on', async () => {
  const calls = new ClosingCalls();
  let attempts = 0;
  const count: Interceptor = (options, nextCall) => {
    attempts += 1;
    return new InterceptingCall(nextCall(options));
  };
  const interceptors = [...calls.interceptors.slice(0, 1), count, ...calls.interceptors.slice(1)];
  const connection = Connection.lazy({ address: `127.0.0.1:${await deadPort()}`, interceptors });
  const waiting = connection.workflowService.getSystemInfo({}).catch((error: unknown) => error);
  await vi.waitUntil(() => attempts >= 2);
  calls.closed();
  await connection.close();
  // Were it not for the closed calls, this would never end, and vitest would tell of an uncaught exception.
  expect(String(await waiting)).toContain('the connection was closed');
});
