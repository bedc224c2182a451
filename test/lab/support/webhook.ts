import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tlsFor } from './tls.js';

/** A webhook on this machine, with a certificate by an authority of its own. */
export interface Webhook<Body> {
  url: string;
  /** The authority's certificate, PEM. */
  caFile: string;
  /** What was posted with the right token, in order. */
  got: Body[];
  close(): void;
}

/**
 * Answers 401 to everybody without the token.
 *
 * @param folder where key and certificates lie
 */
export async function webhookOnThisMachine<Body>(folder: string, token: string): Promise<Webhook<Body>> {
  const address = '127.0.0.1';
  const { key, cert, caFile } = await tlsFor(address, folder);
  const got: Body[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      const isAllowed = request.headers.authorization === `Bearer ${token}`;
      if (isAllowed) got.push(JSON.parse(body) as Body);
      response.writeHead(isAllowed ? 204 : 401).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, address, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `https://${address}:${port}/health`, caFile, got, close };
}
