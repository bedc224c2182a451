import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

/** What a server has answered. */
export interface Posted {
  status: number;
  /** Its beginning. */
  body: string;
}

export interface PostOptions {
  headers: Record<string, string>;
  body: string;
  /** Certificates that the server's has to be signed by, as PEM; null: what the machine trusts. */
  ca: string | null;
  signal: AbortSignal;
}

/** Posts a text, and reads the beginning of the answer. Rejects where there is none. */
export type Post = (address: URL, options: PostOptions) => Promise<Posted>;

/** Of the answer: enough for a reason, little enough for any server. */
const ANSWER_BYTES = 2_000;

/**
 * By Node's own client, for its `fetch` takes no certificates in Node 20. No proxy is asked: those of `cluster.yaml` are for packages
 * and images. A redirect is an answer like any other: a POST that is sent on may arrive as a GET.
 */
export const post: Post = (address, { headers, body, ca, signal }) =>
  new Promise((resolve, reject) => {
    const begin = address.protocol === 'https:' ? requestHttps : requestHttp;
    const length = Buffer.byteLength(body);
    const options = {
      method: 'POST',
      headers: { ...headers, 'Content-Length': length },
      signal,
      agent: false,
      ...(ca === null ? {} : { ca }),
    };
    const sent = begin(address, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const end = (): void => {
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString('utf8').slice(0, ANSWER_BYTES),
        });
        response.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= ANSWER_BYTES) end();
      });
      response.on('end', end);
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
