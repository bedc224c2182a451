import { by, type KeyChanges } from '../../../../cluster/key-change.js';
import type { Cluster } from '../../../../cluster/types.js';

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

/** A mail for each change. */
export interface MailSettings {
  to: string[];
  from: string;
  /** null: the host's own `sendmail`. */
  smtp: SmtpSettings | null;
}

/** `spec.loadBalancer.notify`, resolved: who is told when the virtual IP moves. */
export interface NotifySettings {
  webhook: WebhookSettings | null;
  mail: MailSettings | null;
  /** A program on the control planes and its arguments. */
  command: string[] | null;
}

/** What a load balancer's settings have where the file says so; left out where it does not, as before there was the key. */
export interface Notifying {
  notify?: NotifySettings;
}

/** Usual port of mail, by how the connection is encrypted (RFC 8314, RFC 6409, RFC 5321). */
export const SMTP_PORTS: Record<SmtpTls, number> = { implicit: 465, starttls: 587, none: 25 };

export const NOTIFY_DEFAULTS = { smtpTls: 'starttls' } as const;

const change = by('load-balancer');
const KEYS: Record<string, readonly string[]> = {
  webhook: ['url', 'urlEnv', 'tokenEnv', 'caFile'],
  mail: [
    'to',
    'from',
    'smtp',
    ...['server', 'port', 'tls', 'user', 'passwordEnv', 'caFile'].map((key) => `smtp.${key}`),
  ],
  command: [],
};

/** The step of each control plane compares all of them. */
export const NOTIFY_CHANGES: KeyChanges = {
  'spec.loadBalancer.notify': change,
  ...Object.fromEntries(
    Object.entries(KEYS).flatMap(([channel, keys]) =>
      ['', ...keys.map((key) => `.${key}`)].map((key) => [`spec.loadBalancer.notify.${channel}${key}`, change]),
    ),
  ),
};

/** Who is told in this cluster; undefined where nobody is, or the load balancer has nobody to tell. */
export function notifyOf({ loadBalancer }: Pick<Cluster, 'loadBalancer'>): NotifySettings | undefined {
  return 'notify' in loadBalancer ? loadBalancer.notify : undefined;
}

/** Names of the variables in the worker's environment that hold what channels need and no file may hold. */
export function secretVariables(settings: NotifySettings | undefined): string[] {
  const { webhook, mail } = settings ?? {};
  const names = [webhook?.urlEnv, webhook?.tokenEnv, mail?.smtp?.passwordEnv];
  return names.filter((name) => typeof name === 'string');
}

/** Whether the hosts need curl for it. */
export function needsCurl(settings: NotifySettings | undefined): boolean {
  return settings !== undefined && (settings.webhook !== null || (settings.mail?.smtp ?? null) !== null);
}
