import {
  SMTP_KEYS,
  type SmtpSettings,
  variablesOf,
  WEBHOOK_KEYS,
  type WebhookSettings,
} from '../../../../cluster/channels/settings.js';
import { by, type KeyChanges } from '../../../../cluster/key-change.js';
import type { Cluster } from '../../../../cluster/types.js';

export type { SmtpSettings, SmtpTls, WebhookSettings } from '../../../../cluster/channels/settings.js';

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

const change = by('load-balancer');
const KEYS: Record<string, readonly string[]> = {
  webhook: WEBHOOK_KEYS,
  mail: ['to', 'from', 'smtp', ...SMTP_KEYS.map((key) => `smtp.${key}`)],
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
  return variablesOf({ webhook: settings?.webhook ?? null, smtp: settings?.mail?.smtp ?? null });
}

/** Whether the hosts need curl for it. */
export function needsCurl(settings: NotifySettings | undefined): boolean {
  return settings !== undefined && (settings.webhook !== null || (settings.mail?.smtp ?? null) !== null);
}
