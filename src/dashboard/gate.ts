import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Header in which the page says who it is. No other page can send it: browsers ask first, and are told nothing. */
export const TOKEN_HEADER = 'kubewright-token';

/** A token that nobody guesses: 256 bits, fit for an address. */
export function makeToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Why a request is turned away. */
export interface TurnedAway {
  status: 403 | 421;
  message: string;
}

/** A request, as far as its sender goes. */
export interface Sender {
  method: string;
  headers: IncomingHttpHeaders;
}

/**
 * Who may ask. A page of somebody else's in the same browser reaches this server, too: by its address, or by a name of its own that leads
 * to 127.0.0.1 (DNS rebinding). The first is told by Origin and by what browsers say of the fetch, the second by Host. Pure.
 *
 * @param port of this server
 * @returns undefined where the request is one of this page
 */
export function turnedAway({ method, headers }: Sender, port: number): TurnedAway | undefined {
  const host = headers.host ?? '';
  if (!namesOf(port).includes(host)) {
    return { status: 421, message: `This page answers at 127.0.0.1:${port} only, and was asked as another host.` };
  }
  const { origin } = headers;
  const isAct = method !== 'GET' && method !== 'HEAD';
  if (origin === undefined ? isAct : origin !== `http://${host}`) return ELSEWHERE;
  // A person may come by a link. Nothing else of this server is for other sites.
  const site = headers['sec-fetch-site'];
  const isVisit = headers['sec-fetch-mode'] === 'navigate' && !isAct;
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isVisit) return ELSEWHERE;
  return undefined;
}

const ELSEWHERE: TurnedAway = { status: 403, message: 'This was asked by another page.' };

function namesOf(port: number): string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}

/** Whether a request bears the token. It takes as long for a wrong one as for the right one. */
export function bearsToken(headers: IncomingHttpHeaders, token: string): boolean {
  const given = headers[TOKEN_HEADER];
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(token));
}

/** Of the same length whatever was given. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
