/** Ways to tell somebody, as several keys of `cluster.yaml` have them. Secrets are names of variables of the worker's environment. */

/** A POST of JSON for each change. Its address is one of `url` and `urlEnv`. */
export interface WebhookSettings {
  url: string | null;
  /** Name of the variable in the worker's environment that holds the address, where that is itself a secret. */
  urlEnv: string | null;
  /** Name of the variable with the token of `Authorization: Bearer`. */
  tokenEnv: string | null;
  /** Certificates that the server's has to be signed by, as PEM; null: what the hosts trust. */
  ca: string | null;
}

/** How a connection to a mail server is encrypted: at once, by STARTTLS (without it nothing is sent), or not at all. */
export type SmtpTls = 'implicit' | 'starttls' | 'none';

/** A mail server that takes mails from the control planes. */
export interface SmtpSettings {
  server: string;
  port: number;
  tls: SmtpTls;
  user: string | null;
  /** Name of the variable with the password. */
  passwordEnv: string | null;
  ca: string | null;
}

/** Usual port of mail, by how the connection is encrypted (RFC 8314, RFC 6409, RFC 5321). */
export const SMTP_PORTS: Record<SmtpTls, number> = { implicit: 465, starttls: 587, none: 25 };

export const SMTP_TLS: SmtpTls = 'starttls';

/** Keys of each, for the table of what becomes of an edit. */
export const WEBHOOK_KEYS = ['url', 'urlEnv', 'tokenEnv', 'caFile'] as const;
export const SMTP_KEYS = ['server', 'port', 'tls', 'user', 'passwordEnv', 'caFile'] as const;

/** Names of the variables in the worker's environment that hold what channels need and no file may hold. */
export function variablesOf({
  webhook,
  smtp,
}: {
  webhook: WebhookSettings | null;
  smtp: SmtpSettings | null;
}): string[] {
  const names = [webhook?.urlEnv, webhook?.tokenEnv, smtp?.passwordEnv];
  return names.filter((name) => typeof name === 'string');
}
