import { readFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { rootCertificates } from 'node:tls';
import { KubewrightError, messageOf } from '../../errors.js';
import { Credentials } from './credentials.js';

/** A connection that brings nothing for this long (milliseconds) is taken for dead. */
const STALL = 60_000;
/** Redirects in a row; release sites need one or two. */
const REDIRECTS = 5;

export interface Question {
  method?: 'GET' | 'HEAD' | 'POST';
  /** Of a POST. */
  content?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** An answer whose body has not been read yet: read it, or `discard` it. */
export interface Answer {
  status: number;
  ok: boolean;
  headers: IncomingHttpHeaders;
  body: IncomingMessage;
}

export interface Access {
  /** Certificate authorities to trust besides the usual ones, as PEM. */
  ca?: string | undefined;
  credentials: Credentials;
}

/**
 * What the user said about access to mirrors and registries.
 *
 * @param caFile `--ca`; else `SSL_CERT_FILE` names the file, as it does for curl and Go
 * @throws KW739 when the file, or docker's config.json, cannot be used
 */
export async function loadAccess(caFile: string | undefined, env: NodeJS.ProcessEnv = process.env): Promise<Access> {
  const path = caFile ?? env.SSL_CERT_FILE;
  const credentials = await Credentials.load(env);
  if (!path) return { credentials };
  const pem = await readFile(path, 'utf8').catch((cause) => {
    throw noAuthority(path, messageOf(cause));
  });
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw noAuthority(path, 'it holds no certificate in PEM');
  // Naming authorities replaces Node's own list, the file of NODE_EXTRA_CA_CERTS included.
  const extra = env.NODE_EXTRA_CA_CERTS ? await readFile(env.NODE_EXTRA_CA_CERTS, 'utf8').catch(() => '') : '';
  return { credentials, ca: [pem, extra].join('\n') };
}

function noAuthority(path: string, why: string): KubewrightError {
  return new KubewrightError('KW739', `${path} cannot be used as a certificate authority: ${why}.`, {
    hint: 'Give --ca (or SSL_CERT_FILE) a readable file with certificates in PEM.',
  });
}

/**
 * Asks HTTP servers. Credentials go to the host that they are for and to no other: a redirect to another one takes neither
 * them nor a token along. Node's own `fetch` is not used because it takes no certificate authority.
 */
export class Client {
  private readonly ca: string[] | undefined;

  constructor(private readonly access: Access = { credentials: Credentials.none() }) {
    this.ca = access.ca ? [...rootCertificates, access.ca] : undefined;
  }

  get credentials(): Credentials {
    return this.access.credentials;
  }

  /**
   * @param question `headers.authorization` is for this host alone, and stands before the host's own credentials
   * @throws KW736 the server's certificate is not trusted, KW737 credentials are wanted or refused; Error for what may pass
   */
  async ask(url: string, question: Question = {}): Promise<Answer> {
    const { headers: { authorization, ...headers } = {}, ...rest } = question;
    const first = new URL(url);
    for (let at = first, hops = 0; ; hops += 1) {
      const own = at.origin === first.origin ? authorization : undefined;
      const shown = own ?? this.basicFor(at);
      const answer = await this.once(at, { ...rest, headers: { ...headers, ...(shown && { authorization: shown }) } });
      const location = answer.status >= 301 && answer.status <= 308 ? answer.headers.location : undefined;
      if (location === undefined) return answer;
      discard(answer);
      if (hops >= REDIRECTS || !URL.canParse(location, at.href)) throw new Error('it redirects without an end');
      const next = new URL(location, at);
      if (next.protocol !== 'https:' && next.protocol !== at.protocol) {
        throw new KubewrightError('KW723', `${url} leads from ${at.host} to an address that is not encrypted.`, {
          hint: 'That is not what release sites do: something in between answers in their place.',
        });
      }
      at = next;
    }
  }

  /** The `Authorization` of a host that the user gave credentials for. */
  basicFor(url: URL): string | undefined {
    const credential = this.access.credentials.for(url);
    if (!credential) return undefined;
    return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
  }

  private once(url: URL, { method = 'GET', content, headers, signal }: Question): Promise<Answer> {
    const secure = url.protocol === 'https:';
    const options = { method, headers: { 'accept-encoding': 'identity', ...headers }, ...(signal && { signal }) };
    return new Promise((resolve, reject) => {
      const sent = secure
        ? requestHttps(url, { ...options, ...(this.ca && { ca: this.ca }) })
        : requestHttp(url, options);
      sent.setTimeout(STALL, () => sent.destroy(new Error('nothing arrived for a minute')));
      sent.on('error', (error: NodeJS.ErrnoException) => reject(distrusted(url, error) ?? error));
      sent.on('response', (body) => {
        const status = body.statusCode ?? 0;
        // Without a listener an error of a body that nobody reads would end the process.
        body.on('error', () => {});
        resolve({ status, ok: status >= 200 && status < 300, headers: body.headers, body });
      });
      sent.end(content);
    });
  }
}

/** Codes of OpenSSL and of Node that mean: this is not who it should be. */
const DISTRUST = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|INVALID_CA|HOSTNAME_MISMATCH/;

function distrusted(url: URL, error: NodeJS.ErrnoException): KubewrightError | undefined {
  if (!DISTRUST.test(error.code ?? '')) return undefined;
  return new KubewrightError('KW736', `The certificate of ${url.host} is not trusted: ${error.message}.`, {
    hint: 'A mirror or proxy with a certificate authority of your own? Give its certificate with --ca FILE. Else distrust what answers there.',
    cause: error,
  });
}

/** The error for an answer that refuses who asks. Neither the credentials nor the answer's text are in it. */
export function refused(url: string, { status }: Answer, credentials: Credentials): KubewrightError | undefined {
  if (status !== 401 && status !== 403) return undefined;
  const address = new URL(url);
  const shown = credentials.for(address) !== undefined;
  const what = shown ? `refuses the credentials that it was shown` : `wants credentials`;
  return new KubewrightError('KW737', `${address.host} ${what}: it says ${status} for ${url}.`, {
    hint: shown
      ? `Are they right, and may they read this? ${credentials.adviceFor(address)}`
      : credentials.adviceFor(address),
  });
}

/** A web page where a file was asked for: a login page, a proxy's block page, a mirror's start page. */
export function webPage(url: string): KubewrightError {
  return new KubewrightError('KW723', `${new URL(url).host} answers with a web page instead of ${url}.`, {
    hint: "Open the address in a browser: a login or a proxy's page? With a mirror: does its address end where the files begin?",
  });
}

/** Nothing that is downloaded is HTML. */
export function isPage({ headers }: Answer): boolean {
  return /^(text\/html|application\/xhtml)/i.test(headers['content-type'] ?? '');
}

/** Whether a content begins as a web page does. */
export function looksLikePage(beginning: string): boolean {
  return /^\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)/i.test(beginning);
}

export function discard({ body }: Answer): void {
  body.resume();
}

/** The whole body; for what is small. */
export async function bytesOf({ body }: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Why a request failed: Node hides the reason of several attempts one level below, and leaves the message empty. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return messageOf(cause.errors[0]);
  return messageOf(cause);
}
