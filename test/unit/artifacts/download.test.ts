import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, fetchText } from '../../../src/artifacts/official/download.js';
import { breakOffAfter, OriginServer, sha256 } from './origin-server.js';

const body = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => index % 251));
const sum = sha256(body);
let server: OriginServer;
let folder: string;

beforeEach(async () => {
  server = new OriginServer();
  await server.start();
  server.files.set('/file', body);
  folder = await mkdtemp(join(tmpdir(), 'kubewright-download-'));
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const target = () => join(folder, 'file');
const get = (path = '/file') => download(`${server.url}${path}`, target(), sum, { backoff: 1 });
const once = (intervention: ReturnType<typeof breakOffAfter>) => {
  let done = false;
  return (...args: Parameters<typeof intervention>) => {
    if (done) return false;
    done = true;
    return intervention(...args);
  };
};

describe('download', () => {
  it('brings the file', async () => {
    await get();
    expect((await readFile(target())).equals(body)).toBe(true);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('goes on where the connection broke off', async () => {
    server.intervene('/file', once(breakOffAfter(1_500_000)));
    await get();
    expect((await readFile(target())).equals(body)).toBe(true);
    const ranges = server.requestsFor('/file').map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });

  it('begins again when the file on the server is another one by then', async () => {
    const former = Buffer.from(body).fill(7, 0, 100);
    server.intervene(
      '/file',
      once((request, response) => breakOffAfter(1_500_000)(request, response, former)),
    );
    await get();
    expect((await readFile(target())).equals(body)).toBe(true);
  });

  it('begins again when pieces of two files met, because the server names neither', async () => {
    const former = Buffer.from(body).fill(7, 0, 100);
    server.intervene(
      '/file',
      once((_, response) => {
        response.writeHead(200, { 'content-length': body.length });
        response.write(former.subarray(0, 1_500_000), () => response.socket?.end());
        return true;
      }),
    );
    await get();
    expect((await readFile(target())).equals(body)).toBe(true);
  });

  it('begins again when the server does not do ranges', async () => {
    let calls = 0;
    server.intervene('/file', (request, response) => {
      calls += 1;
      if (calls === 1) return breakOffAfter(1_500_000)(request, response, body);
      response.end(body);
      return true;
    });
    await get();
    expect((await readFile(target())).equals(body)).toBe(true);
  });

  it('begins again when the server refuses the range', async () => {
    let calls = 0;
    server.intervene('/file', (request, response) => {
      calls += 1;
      if (calls === 1) return breakOffAfter(1_500_000)(request, response, body);
      if (calls === 2) response.writeHead(416).end();
      return calls === 2;
    });
    await get();
    expect((await readFile(target())).equals(body)).toBe(true);
  });

  it('outlives a server that is busy for a moment', async () => {
    let calls = 0;
    server.intervene('/file', (_, response) => {
      calls += 1;
      if (calls > 3) return false;
      response.writeHead(503).end();
      return true;
    });
    await get();
    expect(calls).toBe(4);
  });

  it('gives up on a body that is always cut short at the same place, and leaves no file', async () => {
    server.intervene('/file', (request, response) => {
      if (request.headers.range) {
        response.destroy();
        return true;
      }
      return breakOffAfter(100)(request, response, body);
    });
    await expect(get()).rejects.toMatchObject({ code: 'KW720', transient: true });
    expect(existsSync(target())).toBe(false);
  });

  it('refuses content that is not what was published, with both sums, and leaves nothing', async () => {
    const damaged = Buffer.from(body).fill(0, 1000, 1001);
    server.files.set('/file', damaged);
    await expect(get()).rejects.toMatchObject({
      code: 'KW721',
      message: `${server.url}/file is not what was published: SHA-256 is ${sha256(damaged)}, not ${sum}.`,
    });
    expect(await readdir(folder)).toEqual([]);
    expect(server.requestsFor('/file')).toHaveLength(1);
  });

  it('says at once that there is no such file', async () => {
    await expect(get('/other')).rejects.toMatchObject({ code: 'KW722', message: expect.stringContaining('404') });
    expect(server.requestsFor('/other')).toHaveLength(1);
  });

  it('says why nobody was reached', async () => {
    await server.stop();
    await expect(get()).rejects.toMatchObject({ code: 'KW720', message: expect.stringMatching(/ECONNREFUSED/) });
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    server.intervene('/file', (_, response) => {
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.subarray(0, 10));
      controller.abort();
      return true;
    });
    const options = { backoff: 1, signal: controller.signal };
    await expect(download(`${server.url}/file`, target(), sum, options)).rejects.toMatchObject({ code: 'KW703' });
  });
});

it('fetches a small text as stubbornly', async () => {
  server.files.set('/text', Buffer.from('hello\n'));
  server.intervene('/text', once(breakOffAfter(2)));
  expect(await fetchText(`${server.url}/text`, { backoff: 1 })).toBe('hello\n');
});
