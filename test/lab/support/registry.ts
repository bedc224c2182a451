import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Bundle } from '../../../src/bundle/bundle.js';
import { tlsFor } from './tls.js';

/** What a registry was asked for. */
export interface Asked {
  /** Address of who asked. */
  from: string | undefined;
  path: string;
  status: number;
}

/**
 * A registry as a company has one: with TLS by an authority of its own, a login, and the images of a bundle, each below the host that
 * it is published on. It serves the reading half of the OCI distribution API out of the bundle's archives.
 */
export class LabRegistry {
  readonly asked: Asked[] = [];
  /** Repository → tag → digest. */
  private readonly tags = new Map<string, Map<string, string>>();
  private readonly hidden = new Set<string>();
  /** Digest → file and media type. */
  private readonly blobs = new Map<string, { file: string; type: string }>();

  private constructor(
    /** `ADDRESS:PORT/PREFIX`. */
    readonly address: string,
    readonly caFile: string,
    private readonly folder: string,
    private readonly prefix: string,
    private readonly login: string,
    private readonly server: Server,
  ) {}

  /** @param host address of this machine on the lab's bridge @param login NAME:PASSWORD */
  static async start(host: string, login: string, prefix = 'mirror'): Promise<LabRegistry> {
    const folder = await mkdtemp(join(tmpdir(), 'kubewright-lab-registry-'));
    const tls = await tlsFor(host, folder);
    const server = createServer(tls);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the registry listens nowhere');
    const made = new LabRegistry(`${host}:${address.port}/${prefix}`, tls.caFile, folder, prefix, login, server);
    server.on('request', (request, response) => void made.answer(request, response));
    return made;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Pushes the images of a bundle. */
  async fill(bundle: Bundle): Promise<void> {
    for (const { file, names } of bundle.images) {
      const unpacked = join(this.folder, file.replaceAll('/', '-'));
      await mkdir(unpacked);
      await execa('tar', ['-xf', join(bundle.directory, file), '-C', unpacked]);
      const { manifests } = JSON.parse(await readFile(join(unpacked, 'index.json'), 'utf8'));
      const [{ digest, mediaType }] = manifests;
      const place = (blob: string): string => join(unpacked, 'blobs', blob.replace(':', '/'));
      const manifest = JSON.parse(await readFile(place(digest), 'utf8'));
      this.blobs.set(digest, { file: place(digest), type: mediaType });
      for (const part of [manifest.config, ...manifest.layers])
        this.blobs.set(part.digest, { file: place(part.digest), type: 'application/octet-stream' });
      for (const name of names) this.tag(name, digest);
    }
  }

  /** Gives an image that it has another name. */
  alias(name: string, known: string): void {
    const at = known.lastIndexOf(':');
    const digest = this.tags.get(`${this.prefix}/${known.slice(0, at)}`)?.get(known.slice(at + 1));
    if (digest === undefined) throw new Error(`the registry has no ${known}`);
    this.tag(name, digest);
  }

  private tag(name: string, digest: string): void {
    const at = name.lastIndexOf(':');
    const repository = `${this.prefix}/${name.slice(0, at)}`;
    this.tags.set(repository, new Map([...(this.tags.get(repository) ?? []), [name.slice(at + 1), digest]]));
  }

  /** Answers for this image as if it had never been pushed. */
  remove(name: string): void {
    this.hidden.add(`${this.prefix}/${name}`);
  }

  /** Undoes `remove`. */
  restore(name: string): void {
    this.hidden.delete(`${this.prefix}/${name}`);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', method, headers, socket } = request;
    const from = socket.remoteAddress;
    const [path = ''] = url.split('?');
    const end = (status: number, more: Record<string, string> = {}): void => {
      this.asked.push({ from, path, status });
      response.writeHead(status, more).end();
    };
    if (headers.authorization !== `Basic ${Buffer.from(this.login).toString('base64')}`)
      return end(401, { 'WWW-Authenticate': 'Basic realm="lab"' });
    if (path === '/v2/') return end(200);
    const [, repository = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    const digest = kind === 'manifests' ? (this.tags.get(repository)?.get(reference) ?? reference) : reference;
    const blob = this.tags.has(repository) ? this.blobs.get(digest) : undefined;
    if (blob === undefined || this.hidden.has(`${repository}:${reference}`)) return end(404);
    this.asked.push({ from, path, status: 200 });
    const { size } = await stat(blob.file);
    response.writeHead(200, { 'Content-Type': blob.type, 'Content-Length': size, 'Docker-Content-Digest': digest });
    if (method === 'HEAD') response.end();
    else createReadStream(blob.file).pipe(response);
  }
}
