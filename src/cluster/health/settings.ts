import { SMTP_KEYS, type SmtpSettings, variablesOf, WEBHOOK_KEYS, type WebhookSettings } from '../channels/settings.js';
import { type KeyChanges, section, used } from '../key-change.js';

/** What a webhook gets: all that is known, or the one key that chat programs show. */
export type WebhookFormat = 'json' | 'chat';

/** A POST for each change of the verdict. */
export interface HealthWebhook extends WebhookSettings {
  format: WebhookFormat;
}

/** A mail for each change of the verdict. */
export interface HealthMail {
  to: string[];
  from: string;
  smtp: SmtpSettings;
}

/** Who is told of verdicts, by the names of the channels. The worker does it. */
export interface HealthChannels {
  webhook: HealthWebhook | null;
  mail: HealthMail | null;
  /** A program on the worker's machine and its arguments. */
  command: string[] | null;
}

/** A way to tell somebody of a verdict. */
export type HealthChannel = keyof HealthChannels;

/** `spec.health`, resolved. */
export interface HealthSettings {
  /** Absent where the file tells nobody. */
  notify?: HealthChannels;
  /** Absent where nobody asks for snapshots. */
  snapshots?: HealthSnapshots;
  /** Names outside of the cluster that pods have to resolve. Absent where nobody asks for one. */
  outsideNames?: string[];
}

/** Which snapshots of etcd there have to be. */
export interface HealthSnapshots {
  /** Path on the hosts that hold a member; its last part may be a pattern. */
  files: string;
  /** How old the newest one may be, in milliseconds. */
  maxAge: number;
}

/** One each day, with two hours in which it may be late. */
export const SNAPSHOT_MAX_AGE = '26h';

export const WEBHOOK_FORMAT: WebhookFormat = 'json';

const NOTIFY = 'spec.health.notify';
const KEYS = [
  'webhook',
  ...[...WEBHOOK_KEYS, 'format'].map((key) => `webhook.${key}`),
  'mail',
  'mail.to',
  'mail.from',
  'mail.smtp',
  ...SMTP_KEYS.map((key) => `mail.smtp.${key}`),
  'command',
];

/** No host has any of it: the next check goes by what it is asked with. */
export const HEALTH_CHANGES: KeyChanges = {
  'spec.health': section,
  'spec.health.outsideNames': used,
  'spec.health.snapshots': used,
  'spec.health.snapshots.files': used,
  'spec.health.snapshots.maxAge': used,
  [NOTIFY]: used,
  ...Object.fromEntries(KEYS.map((key) => [`${NOTIFY}.${key}`, used])),
};

/** Names of the variables in the worker's environment that hold secrets of the channels. */
export function healthVariables(health: HealthSettings | undefined): string[] {
  if (health?.notify === undefined) return [];
  const { webhook, mail } = health.notify;
  return variablesOf({ webhook, smtp: mail?.smtp ?? null });
}
