import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Dashboard, serveDashboard } from '../../../src/dashboard/server.js';
import type { DecisionRequest } from '../../../src/dashboard/told.js';
import { KubewrightError } from '../../../src/errors.js';
import { FakeReader, fakeFolders } from './fake-reader.js';

let reader: FakeReader;
let served: Dashboard;
let decided: [string, DecisionRequest][];
let refusal: Error | undefined;

beforeEach(async () => {
  reader = new FakeReader();
  decided = [];
  refusal = undefined;
  const decide = async (cluster: string, decision: DecisionRequest) => {
    decided.push([cluster, decision]);
    if (refusal !== undefined) throw refusal;
    return { message: 'retrying cp-2/join' };
  };
  served = await serveDashboard({ reader, decide, port: 0, folders: await fakeFolders() });
});
afterEach(() => served.close());

const token = () => new URL(served.address).hash.slice('#token='.length);
const origin = () => `http://127.0.0.1:${served.port}`;

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Answered {
  status: number | undefined;
  headers: Record<string, unknown>;
  text: string;
}

/** As any program may ask: fetch would make the path and the headers those of an honest one. */
function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: served.port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
        if (response.headers['content-type'] === 'text/event-stream' && text.includes('event: ')) asked.destroy();
      });
      response.on('close', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const DECISION = JSON.stringify({ verb: 'retry', step: 'cp-2/join', blocking: 1 });
const decide = (headers: Record<string, string> = {}, body = DECISION) =>
  ask('/api/clusters/demo/decisions', {
    method: 'POST',
    headers: { origin: origin(), 'kubewright-token': token(), ...headers },
    body,
  });

describe('the server', () => {
  it('listens on loopback alone, and prints an address whose token goes to nobody', () => {
    expect(served.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/);
  });

  it('gives the page to who comes without a token, with a policy that allows no script but its own files', async () => {
    const { status, headers, text } = await ask('/');
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    // What the policy forbids is not tried either.
    expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?:/);
    for (const [path, type] of [
      ['/page/main.js', 'text/javascript'],
      ['/vendor/preact.js', 'text/javascript'],
      ['/style.css', 'text/css'],
      ['/icon.svg', 'image/svg+xml'],
    ] as const) {
      const file = await ask(path);
      expect(file).toMatchObject({ status: 200 });
      expect(file.headers['content-type']).toContain(type);
    }
  });

  it.each([
    '/../package.json',
    '/page/../../package.json',
    '/page/%2e%2e/server.js',
    '/page/secret.txt',
    '/page/',
    '//',
  ])('has no file %s', async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404 });
  });

  it.each(['/api/events', '/api/clusters/demo/events'])('tells nothing at %s without the token', async (path) => {
    expect(await ask(path)).toMatchObject({ status: 401 });
    expect(await ask(path, { headers: { 'kubewright-token': 'x' } })).toMatchObject({ status: 401 });
    expect(reader.asked).toEqual({});
    const headers = { 'kubewright-token': token() };
    expect(await ask(path, { headers })).toMatchObject({ status: 200, text: expect.stringContaining('event: ') });
  });

  it('takes a decision of the page, and hands it on as it was meant', async () => {
    const { status, text } = await decide();
    expect({ status, body: JSON.parse(text) }).toEqual({ status: 200, body: { message: 'retrying cp-2/join' } });
    expect(decided).toEqual([['demo', { verb: 'retry', step: 'cp-2/join', blocking: 1, reason: undefined }]]);
  });

  it('takes none from another page, by another name, without the token, or by reading', async () => {
    expect(await decide({ origin: 'https://evil.example' })).toMatchObject({ status: 403 });
    expect(
      await decide({ host: `evil.example:${served.port}`, origin: `http://evil.example:${served.port}` }),
    ).toMatchObject({ status: 421 });
    expect(await decide({ 'kubewright-token': '' })).toMatchObject({ status: 401 });
    const headers = { 'kubewright-token': token() };
    expect(await ask('/api/clusters/demo/decisions', { headers })).toMatchObject({ status: 404 });
    expect(await ask('/api/clusters/demo/decisions', { headers, method: 'POST', body: DECISION })).toMatchObject({
      status: 403,
    });
    expect(decided).toEqual([]);
  });

  it.each([
    'no JSON',
    '[]',
    'null',
    '{}',
    '{"verb":"destroy"}',
    '{"verb":"retry","step":7}',
    '{"verb":"retry","blocking":"1"}',
    '{"verb":"retry","by":"somebody else"}',
    `{"verb":"skip","reason":"${'x'.repeat(1_001)}"}`,
    `{"verb":"retry","step":"${'x'.repeat(20_000)}"}`,
  ])('refuses what is no decision: %.40s', async (body) => {
    expect(await decide({}, body)).toMatchObject({ status: 400 });
    expect(decided).toEqual([]);
  });

  it('tells a refusal with its code and hint, and other failures as failures', async () => {
    refusal = new KubewrightError('KW802', 'cp-2/join is not blocked', { hint: 'See `kubewright status`.' });
    const refused = await decide();
    expect(refused.status).toBe(409);
    expect(JSON.parse(refused.text)).toEqual({
      code: 'KW802',
      message: 'cp-2/join is not blocked',
      hint: 'See `kubewright status`.',
    });
    refusal = new Error('14 UNAVAILABLE');
    expect(await decide()).toMatchObject({ status: 502, text: expect.stringContaining('14 UNAVAILABLE') });
  });

  it('says which port is taken (KW570)', async () => {
    const again = serveDashboard({
      reader,
      decide: async () => ({ message: '' }),
      port: served.port,
      folders: await fakeFolders(),
    });
    await expect(again).rejects.toMatchObject({ code: 'KW570', hint: expect.stringContaining('--port') });
  });

  it('ends while somebody listens', async () => {
    const headers = { 'kubewright-token': token() };
    const asked = request({ host: '127.0.0.1', port: served.port, path: '/api/clusters/demo/events', headers });
    const cut = new Promise((resolve) => asked.on('response', (heard) => heard.on('close', resolve).resume()));
    asked.on('error', () => {}).end();
    await expect.poll(() => served.topics()).toEqual(['demo']);
    await served.close();
    await cut;
    expect(served.topics()).toEqual([]);
    await expect(ask('/')).rejects.toThrow('ECONNREFUSED');
  });
});
