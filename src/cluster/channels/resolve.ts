import type { z } from 'zod';
import type { Surroundings } from '../../components/schema-types.js';
import type { Path } from '../path.js';
import { type Draft, type Invalid, isValid, pick } from '../resolve/draft.js';
import type { smtpMap, webhookKeys } from './schema.js';
import { SMTP_PORTS, SMTP_TLS, type SmtpTls } from './settings.js';

type Written<Keys extends Record<string, z.ZodType>> = { [K in keyof Keys]?: z.infer<Keys[K]> };
export type WebhookDraft = Draft<Written<ReturnType<typeof webhookKeys>>> | null;
export type SmtpDraft = Draft<z.infer<ReturnType<typeof smtpMap>>> | null;

type Read = Pick<Surroundings, 'read'>;

/** A webhook with its defaults, and the certificates of its server read. @param place where it stands */
export function resolveWebhook(hook: WebhookDraft, place: Path, { read }: Read) {
  return {
    url: pick(hook, 'url', null),
    urlEnv: pick(hook, 'urlEnv', null),
    tokenEnv: pick(hook, 'tokenEnv', null),
    ca: certificates(pick(hook, 'caFile', null), place, read),
  };
}

/** A mail server with its defaults, and its certificates read. @param place where it stands */
export function resolveSmtp(server: SmtpDraft, place: Path, { read }: Read) {
  const tls: SmtpTls | undefined = pick(server, 'tls', SMTP_TLS);
  return {
    server: pick(server, 'server', undefined),
    port: pick(server, 'port', SMTP_PORTS[tls ?? SMTP_TLS]),
    tls,
    user: pick(server, 'user', null),
    passwordEnv: pick(server, 'passwordEnv', null),
    ca: certificates(pick(server, 'caFile', null), place, read),
  };
}

/** A list of texts; what is wrong keeps its place. */
export function texts<None>(list: (string | Invalid)[] | None): string[] | Exclude<None, unknown[]> {
  return Array.isArray(list)
    ? list.map((each) => (isValid(each) ? (each as string) : ''))
    : (list as Exclude<None, unknown[]>);
}

function certificates(
  written: string | null | undefined,
  place: Path,
  read: Surroundings['read'],
): string | null | undefined {
  return typeof written === 'string' ? read(written, [...place, 'caFile'], undefined)?.content : written;
}
