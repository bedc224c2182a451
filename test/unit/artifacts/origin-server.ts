import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

export interface Seen {
  method: string | undefined;
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
  /** Where tokens are handed out; left out: here. */
  realm: string | undefined;
  /** Seconds that a token lives, if it says so. */
  tokenLife: number | undefined;
  /** NAME:PASSWORD that tokens, and paths that `wantsCredentials` names, are given for alone. */
  password: string | undefined;
  /** Paths that want the password itself. */
  wantsCredentials: RegExp | undefined;
  url = '';
  private readonly interventions = new Map<string, Intervention>();
  private readonly server: Server;

  /** @param tls key and certificate for `localhost`; left out: no TLS */
  constructor(private readonly tls?: { key: string; cert: string }) {
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.answer(request, response);
    this.server = tls ? createSecureServer(tls, answer) : createServer(answer);
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    this.url = this.tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
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
    this.seen.push({ method: request.method, path: url.pathname, headers: request.headers });
    if (this.refuses(url.pathname, request.headers.authorization)) {
      response.writeHead(401, { 'www-authenticate': this.challenge(url.pathname) }).end();
      return;
    }
    if (url.pathname === '/token') {
      response.end(JSON.stringify({ token: `for ${url.searchParams.get('scope')}`, expires_in: this.tokenLife }));
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

  private refuses(path: string, authorization = ''): boolean {
    if (path === '/token' || this.wantsCredentials?.test(path)) {
      const basic = `Basic ${Buffer.from(this.password ?? '').toString('base64')}`;
      return this.password !== undefined && authorization !== basic;
    }
    return this.tokenFor !== undefined && path.startsWith(this.tokenFor) && !authorization.startsWith('Bearer for ');
  }

  private challenge(path: string): string {
    if (!this.tokenFor || !path.startsWith(this.tokenFor)) return 'Basic realm="mirror"';
    return `Bearer realm="${this.realm ?? this.url}/token",service="registry",scope="repository:x:pull"`;
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
