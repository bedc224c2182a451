import { createServer as createPlain, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SENDERS } from '../../../../src/activities/notify/senders.js';
import { tellChannel } from '../../../../src/activities/notify/tellChannel.js';
import type { HealthWebhook } from '../../../../src/cluster/health/settings.js';
import { clusterWith, NEWS } from './news.js';
import { type SelfSigned, selfSigned } from './tls.js';

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  path: string | undefined;
}

let tls: SelfSigned;
let servers: Server[] = [];
beforeAll(async () => {
  tls = await selfSigned();
});
afterEach(async () => {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  servers = [];
});

/** A real server; without an answer it hangs. */
async function server(answer?: { status: number; body?: string; headers?: Record<string, string> }, isPlain = false) {
  const received: Received[] = [];
  const made = (isPlain ? createPlain() : createServer(tls)) as Server;
  made.on('request', (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body, path: request.url });
      if (answer !== undefined) response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
    });
  });
  servers.push(made);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const { port } = made.address() as AddressInfo;
  return { received, port, url: `${isPlain ? 'http' : 'https'}://127.0.0.1:${port}/hooks/T0/secret-path` };
}

const hook = (fields: Partial<HealthWebhook>): HealthWebhook => ({
  url: null,
  urlEnv: null,
  tokenEnv: null,
  ca: tls.cert,
  format: 'json',
  ...fields,
});

function tell(webhook: HealthWebhook, env: Record<string, string> = {}, limitMs = 5_000) {
  const senders = { ...SENDERS, limitsMs: { ...SENDERS.limitsMs, webhook: limitMs } };
  const { signal } = new AbortController();
  const around = { senders, lookUp: (name: string) => env[name], signal };
  return tellChannel(clusterWith({ webhook }), { channel: 'webhook', news: NEWS }, around);
}

/** What a channel that could not be told comes to. */
const untold = (message: RegExp, transient: boolean) => ({
  code: 'KW686',
  message: expect.stringMatching(message),
  hint: expect.stringMatching(/The next check tries it again\.$/),
  transient,
});

describe('a webhook', () => {
  it('gets everything as JSON, over TLS that its own certificates vouch for', async () => {
    const { url, received } = await server({ status: 204 });
    expect(await tell(hook({ url }))).toEqual({});
    expect(received).toHaveLength(1);
    expect(received[0]?.headers['content-type']).toBe('application/json');
    expect(received[0]?.headers).not.toHaveProperty('authorization');
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      id: 'demo-run-1',
      cluster: 'demo',
      event: 'changed',
      verdict: 'degraded',
      previous: 'ok',
      findings: [{ code: 'KW601', host: 'cp-2' }],
    });
  });

  it('of a chat program gets a text and nothing else', async () => {
    const { url, received } = await server({ status: 200, body: 'ok' });
    await tell(hook({ url, format: 'chat' }));
    const body = JSON.parse(received[0]?.body ?? '');
    expect(Object.keys(body)).toEqual(['text']);
    expect(body.text).toContain('KW601 cp-2: it is not ready');
  });

  it('has its address and token from the environment of the worker', async () => {
    const { url, received } = await server({ status: 200 });
    await tell(hook({ urlEnv: 'HOOK', tokenEnv: 'TOKEN' }), { HOOK: url, TOKEN: 't0ken' });
    expect(received).toMatchObject([{ path: '/hooks/T0/secret-path', headers: { authorization: 'Bearer t0ken' } }]);
  });

  it('whose variable is not set, or holds no address, is told by the name of the variable alone', async () => {
    await expect(tell(hook({ urlEnv: 'HOOK' }))).rejects.toMatchObject(untold(/has no HOOK$/, false));
    const wrong = tell(hook({ urlEnv: 'HOOK' }), { HOOK: 'ftp://s3cret' });
    await expect(wrong).rejects.toMatchObject(untold(/^what HOOK holds is no http or https address$/, false));
  });

  it('without certificates that are trusted gets nothing, and is not tried again within the check', async () => {
    const { url, received } = await server({ status: 200 });
    await expect(tell(hook({ url, ca: null }))).rejects.toMatchObject(untold(/certificate is not trusted/, false));
    const other = (await selfSigned()).cert;
    await expect(tell(hook({ url, ca: other }))).rejects.toMatchObject(untold(/certificate is not trusted/, false));
    expect(received).toEqual([]);
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [400, false],
    [404, false],
    [302, false],
  ])('that answers %i has not been told; tried again within the check: %s', async (status, transient) => {
    const { url, received } = await server({ status, body: 'no such\nhook', headers: { location: '/elsewhere' } });
    const words = new RegExp(`^it answered with status ${status} \\(no such hook\\)$`);
    await expect(tell(hook({ url }))).rejects.toMatchObject(untold(words, transient));
    expect(received).toHaveLength(1);
  });

  it('that hangs is given up after its limit', async () => {
    const { url, received } = await server();
    await expect(tell(hook({ url }), {}, 300)).rejects.toMatchObject(untold(/did not answer in time/, true));
    expect(received).toHaveLength(1);
  });

  it('that nobody serves is tried again', async () => {
    const { url } = await server();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expect(tell(hook({ url }))).rejects.toMatchObject(untold(/could not be reached.*ECONNREFUSED/, true));
  });

  it('is given no token in clear, and no error holds a secret that a server repeats', async () => {
    const plain = await server({ status: 200 }, true);
    const env = { HOOK: plain.url, TOKEN: 't0ken' };
    const inClear = tell(hook({ urlEnv: 'HOOK', tokenEnv: 'TOKEN', ca: null }), env);
    await expect(inClear).rejects.toMatchObject(untold(/the token of TOKEN would cross the network in clear/, false));
    expect(plain.received).toEqual([]);
    const echo = await server({ status: 403, body: 'bad Bearer t0ken for /hooks/T0/secret-path' });
    const error = await tell(hook({ urlEnv: 'HOOK', tokenEnv: 'TOKEN' }), { ...env, HOOK: echo.url }).catch((e) => e);
    expect(error.message).toBe('it answered with status 403 (bad Bearer *** for ***)');
  });
});
