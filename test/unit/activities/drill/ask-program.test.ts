import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { askProgram, startAsking } from '../../../../src/activities/drill/ask-program.js';
import { BOOK, parseBook } from '../../../../src/activities/drill/book.js';
import { isSteady } from '../../../../src/activities/drill/gaps.js';
import { CA_CERTIFICATE } from '../../../../src/activities/kubeadm/node/api-get.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';

interface Seen {
  method?: string | undefined;
  url?: string | undefined;
  authorization?: string | undefined;
  body: string;
}

let directory = '';
let server: Server;
let seen: Seen[];
/** What the server answers. */
let status = 200;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-ask-'));
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'ca.crt')],
    ...['-subj', '/CN=kube-apiserver', '-addext', 'subjectAltName=IP:127.0.0.1'],
  ]);
});
afterAll(() => rmSync(directory, { recursive: true }));

beforeEach(async () => {
  [seen, status] = [[], 200];
  writeFileSync(join(directory, 'samples'), '');
  writeFileSync(join(directory, 'token'), 'very-secret');
  const pair = { key: readFileSync(join(directory, 'key.pem')), cert: readFileSync(join(directory, 'ca.crt')) };
  server = createServer(pair, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      seen.push({ method, url, authorization: headers.authorization, body });
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** The program, with the test's directory and authority in place of the host's. */
function program(): string {
  const { port } = server.address() as AddressInfo;
  const base = clusterOf({ controlPlanes: 3, workers: 1 });
  const cluster = { ...base, endpoint: { ...base.endpoint, vip: '127.0.0.1', port } } as Cluster;
  return askProgram(cluster).replace(BOOK, directory).replace(CA_CERTIFICATE, join(directory, 'ca.crt'));
}

const samples = () => parseBook(readFileSync(join(directory, 'samples'), 'utf8').split('\n')).samples;

/** Runs a program until something holds, and ends it with all that it has begun. Where this process dies first, it ends by itself. */
async function asking(text: string, until: () => void): Promise<void> {
  const child = spawn('timeout', ['60', 'bash', '-c', text], { stdio: 'ignore', detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error('bash did not start');
  try {
    await vi.waitFor(until, { timeout: 50_000, interval: 50 });
  } finally {
    const ended = once(child, 'exit');
    process.kill(-pid, 'SIGKILL');
    await ended;
  }
}

describe('the program that asks', () => {
  it('asks for any answer, for an object and for a change of it, as its account, and notes the answers', async () => {
    await asking(program(), () => {
      for (const kind of ['version', 'read', 'write'] as const) {
        if (!isSteady(samples().get(kind) ?? [], 10, 0)) throw new Error(`${kind} is not steady`);
      }
    });
    const object = '/api/v1/namespaces/kube-system/configmaps/kubewright-drill';
    const asked = new Set(seen.map(({ method, url }) => `${method} ${url}`));
    expect(asked).toEqual(new Set(['GET /version', `GET ${object}`, `PATCH ${object}`]));
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer very-secret']));
    const written = seen.find(({ method }) => method === 'PATCH')?.body ?? '';
    expect(JSON.parse(written)).toEqual({ data: { asked: expect.stringMatching(/^\d{13}$/) } });
  }, 70_000);

  it('takes for no answer what is none: another status, another authority, nobody', async () => {
    status = 503;
    await asking(program(), () => {
      const all = [...samples().values()].flat();
      if (all.length < 9 || all.some(({ ok }) => ok)) throw new Error('not yet');
    });
    status = 200;
    writeFileSync(join(directory, 'samples'), '');
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-keyout', join(directory, 'other.pem'), '-out', join(directory, 'other.crt'), '-subj', '/CN=other'],
    ]);
    await asking(program().replace('ca.crt', 'other.crt'), () => {
      if ([...samples().values()].flat().length < 9) throw new Error('not yet');
    });
    expect([...samples().values()].flat().every(({ ok }) => !ok)).toBe(true);
  }, 130_000);

  it('ends by itself when its book is gone', async () => {
    const book = join(directory, 'book');
    mkdirSync(book);
    for (const name of ['samples', 'token']) writeFileSync(join(book, name), '');
    const child = spawn('timeout', ['60', 'bash', '-c', program().replace(directory, book)], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await vi.waitFor(() => expect(readFileSync(join(book, 'samples'), 'utf8')).not.toBe(''), { timeout: 50_000 });
    rmSync(book, { recursive: true });
    expect(await ended).toEqual([0, null]);
  }, 70_000);

  it('has the token in no argument and in no script', () => {
    const script = startAsking({ program: program(), name: 'run/balancer', choice: '{}', limitSeconds: 60 });
    expect(script).not.toContain('very-secret');
    expect(program()).not.toMatch(/openssl[^\n]*\$token/);
  });
});
