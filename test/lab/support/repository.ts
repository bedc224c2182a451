import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { tlsFor } from './tls.js';

/** What a server does with a request: what a mirror does, what a portal before the network does, or nothing at all. */
type Manner = 'mirror' | 'portal' | 'silence';

/** A mirror of packages as a company has one: with TLS by an authority of its own, and a login. It serves the files of a folder. */
export class LabRepository {
  manner: Manner = 'mirror';

  private constructor(
    /** Without a slash at its end. */
    readonly url: string,
    readonly caFile: string,
    /** What it serves. */
    readonly folder: string,
    private readonly login: string,
    private readonly server: Server,
  ) {}

  /** @param host address of this machine on the lab's bridge @param login NAME:PASSWORD */
  static async start(host: string, login: string): Promise<LabRepository> {
    const folder = await mkdtemp(join(tmpdir(), 'kubewright-lab-packages-'));
    const keys = await mkdtemp(join(tmpdir(), 'kubewright-lab-keys-'));
    const tls = await tlsFor(host, keys);
    const server = createServer(tls);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    server.on('close', () => void rm(keys, { recursive: true, force: true }));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the mirror listens nowhere');
    const made = new LabRepository(`https://${host}:${address.port}`, tls.caFile, folder, login, server);
    server.on('request', (request, response) => void made.answer(request, response));
    return made;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  private async answer({ url = '', headers, method }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.manner === 'silence') return;
    if (this.manner === 'portal') {
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.end('<!DOCTYPE html><html><title>Welcome to our network</title></html>\n');
      return;
    }
    if (headers.authorization !== `Basic ${Buffer.from(this.login).toString('base64')}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="packages"' }).end();
      return;
    }
    const path = join(this.folder, normalize(decodeURIComponent(url.split('?')[0] ?? '')));
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'Content-Length': found.size });
    if (method === 'HEAD') response.end();
    else createReadStream(path).pipe(response);
  }
}
