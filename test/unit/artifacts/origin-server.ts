import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

export interface Seen {
  path: string;
  headers: IncomingMessage['headers'];
}

/** Answers one request itself, or returns false to leave it to the server. */
export type Intervention = (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean;

/**
 * One HTTP server that stands for all origins: `/HOST/path`, as a mirror of everything has it. It knows Range,
 * If-Range, ETag, and the token dance of registries; `intervene` makes it misbehave.
 */
export class OriginServer {
  readonly files = new Map<string, Buffer>();
  readonly types = new Map<string, string>();
  readonly seen: Seen[] = [];
  /** Paths below this prefix want the token first. */
  tokenFor: string | undefined;
  url = '';
  private readonly interventions = new Map<string, Intervention>();
  private readonly server: Server = createServer((request, response) => this.answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** A file and, beside it, its published checksum. */
  publish(path: string, bytes: Buffer): void {
    this.files.set(path, bytes);
    this.files.set(`${path}.sha256`, Buffer.from(`${sha256(bytes)}\n`));
  }

  intervene(path: string, intervention: Intervention): void {
    this.interventions.set(path, intervention);
  }

  requestsFor(path: string): Seen[] {
    return this.seen.filter((seen) => seen.path === path);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.seen.push({ path: url.pathname, headers: request.headers });
    if (url.pathname === '/token') {
      response.end(JSON.stringify({ token: `for ${url.searchParams.get('scope')}` }));
      return;
    }
    if (this.tokenFor && url.pathname.startsWith(this.tokenFor) && !request.headers.authorization) {
      const challenge = `Bearer realm="${this.url}/token",service="registry",scope="repository:x:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return;
    }
    const body = this.files.get(url.pathname);
    if (!body) {
      response.writeHead(404).end('no such thing');
      return;
    }
    if (this.interventions.get(url.pathname)?.(request, response, body)) return;
    this.send(url.pathname, request, response, body);
  }

  private send(path: string, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const etag = `"${sha256(body).slice(0, 16)}"`;
    const type = this.types.get(path);
    if (type) response.setHeader('docker-content-digest', `sha256:${sha256(body)}`).setHeader('content-type', type);
    response.setHeader('etag', etag);
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const sameFile = !request.headers['if-range'] || request.headers['if-range'] === etag;
    if (from > 0 && sameFile) {
      const rest = body.subarray(from);
      response.writeHead(206, {
        'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
        'content-length': rest.length,
      });
      response.end(request.method === 'HEAD' ? undefined : rest);
    } else {
      response.writeHead(200, { 'content-length': body.length });
      response.end(request.method === 'HEAD' ? undefined : body);
    }
  }
}

/** Sends the beginning of a body with the whole length announced, and hangs up. */
export function breakOffAfter(bytes: number): Intervention {
  return (_, response, body) => {
    response.writeHead(200, { 'content-length': body.length, etag: `"${sha256(body).slice(0, 16)}"` });
    // FIN, not RST: what was sent before it arrives.
    response.write(body.subarray(0, bytes), () => response.socket?.end());
    return true;
  };
}
