import type { IncomingMessage, ServerResponse } from 'node:http';
import { isKubewrightError, messageOf } from '../errors.js';
import { decisionIn } from './decisions.js';
import { EventStream } from './event-stream.js';
import type { SharedFeeds } from './feeds/shared-feeds.js';
import type { PageFile } from './files.js';
import { bearsToken, turnedAway } from './gate.js';
import { SECURITY_HEADERS } from './security-headers.js';
import type { DecisionAnswer, DecisionRequest, Refusal } from './told.js';

/** Carries out what a person has decided on the page. Throws KubewrightErrors where it is refused. */
export type Decide = (cluster: string, decision: DecisionRequest) => Promise<DecisionAnswer>;

/** What the server's answers are made of. */
export interface Site {
  port: number;
  token: string;
  files: ReadonlyMap<string, PageFile>;
  feeds: SharedFeeds;
  decide: Decide;
}

/** Topic of the list of clusters; a cluster's own is its name, which is never empty. */
export const OVERVIEW = '';

/** A name of a cluster is a DNS label. */
const CLUSTER_PATH = /^\/api\/clusters\/([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)\/(events|decisions)$/;

/**
 * Answers a request: the page's files to who comes by the right address, all else to who bears the token as well. Nothing that is asked
 * for changes anything but a POST of a decision.
 */
export async function answer(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  const { method = '', headers } = request;
  const refused = turnedAway({ method, headers }, site.port);
  if (refused !== undefined) return refuse(response, refused.status, { code: 'KW571', message: refused.message });
  const path = request.url?.split('?')[0] ?? '';
  const file = site.files.get(path);
  if (file !== undefined) return sendFile(request, response, file);
  if (!path.startsWith('/api/')) return refuse(response, 404, { code: 'KW571', message: 'There is no such page.' });
  if (!bearsToken(headers, site.token)) return refuse(response, 401, NO_TOKEN);
  const [, cluster, , what] = CLUSTER_PATH.exec(path) ?? [];
  if (path === '/api/events' && method === 'GET') return listen(request, response, site, OVERVIEW);
  if (cluster !== undefined && what === 'events' && method === 'GET') return listen(request, response, site, cluster);
  if (cluster !== undefined && what === 'decisions' && method === 'POST') {
    return await take(request, response, site, cluster);
  }
  refuse(response, 404, { code: 'KW571', message: 'There is nothing of that kind to ask for.' });
}

const NO_TOKEN: Omit<Refusal, 'hint'> & Partial<Refusal> = {
  code: 'KW571',
  message: 'This page does not have the token of the program that serves it.',
  hint: 'Open the whole address that `kubewright dashboard` has printed.',
};

function sendFile({ method }: IncomingMessage, response: ServerResponse, { type, body }: PageFile): void {
  if (method !== 'GET' && method !== 'HEAD') {
    refuse(response, 405, { code: 'KW571', message: 'This can only be read.' });
    return;
  }
  response.writeHead(200, { 'content-type': type, 'content-length': body.length });
  response.end(method === 'HEAD' ? undefined : body);
}

function listen(request: IncomingMessage, response: ServerResponse, { feeds }: Site, topic: string): void {
  const stream = new EventStream(response);
  const leave = feeds.listen(topic, stream.tell);
  request.on('close', () => {
    leave();
    stream.close();
  });
}

/** Longest body, in bytes. */
const BODY = 8_192;

async function take(request: IncomingMessage, response: ServerResponse, site: Site, cluster: string): Promise<void> {
  const body = await read(request);
  const decision = body === undefined ? undefined : decisionIn(body);
  if (decision === undefined) return refuse(response, 400, { code: 'KW571', message: 'This is no decision.' });
  try {
    send(response, 200, await site.decide(cluster, decision));
  } catch (error) {
    if (!isKubewrightError(error)) return refuse(response, 502, { code: 'KW499', message: messageOf(error) });
    const { code, message, hint } = error;
    refuse(response, code.startsWith('KW8') ? 409 : 502, { code, message, hint });
  }
}

/** @returns undefined where it is too long */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > BODY) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refuse(
  response: ServerResponse,
  status: number,
  { code, message, hint = '' }: Omit<Refusal, 'hint'> & Partial<Refusal>,
): void {
  send(response, status, { code, message, hint });
}

function send(response: ServerResponse, status: number, body: Refusal | DecisionAnswer): void {
  // Of a request that was not read to its end nothing more is wanted.
  if (status >= 400) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
