import type { StepContext } from '../../../../../activities/types.js';
import type { ClusterHost } from '../../../../../cluster/types.js';
import { KubewrightError } from '../../../../../errors.js';
import {
  MAIL_CA_PATH,
  MAIL_PATH,
  NOTIFIER_PATH,
  NOTIFIER_UNIT_PATH,
  WEBHOOK_CA_PATH,
  WEBHOOK_PATH,
} from '../places.js';
import { renderMail, renderWebhook } from '../render/curl.js';
import { renderNotifier } from '../render/notifier.js';
import { renderNotifierUnit } from '../render/unit.js';
import { type MailSettings, notifyOf, type WebhookSettings } from '../settings.js';

export interface NotifierFile {
  path: string;
  content: string;
  mode: number;
}

/**
 * What a control plane has so that somebody is told of changes, secrets included; empty where nobody is.
 *
 * @throws KubewrightError KW458 when a secret is not in the worker's environment, KW459 when it cannot be one
 */
export function notifierFiles(context: Pick<StepContext, 'cluster' | 'secret'>, host: ClusterHost): NotifierFile[] {
  const { cluster } = context;
  const notify = notifyOf(cluster);
  if (notify === undefined) return [];
  return [
    ...(notify.webhook === null ? [] : webhookFiles(context, notify.webhook)),
    ...(notify.mail === null ? [] : mailFiles(context, notify.mail)),
    { path: NOTIFIER_PATH, content: renderNotifier(cluster, host, notify), mode: 0o755 },
    { path: NOTIFIER_UNIT_PATH, content: renderNotifierUnit(), mode: 0o644 },
  ];
}

type Secrets = Pick<StepContext, 'secret'>;

function webhookFiles(context: Secrets, webhook: WebhookSettings): NotifierFile[] {
  const { urlEnv, tokenEnv } = webhook;
  const url = webhook.url ?? addressIn(context, urlEnv ?? '');
  const token = tokenEnv === null ? undefined : secretOf(context, tokenEnv);
  return [...caFile(WEBHOOK_CA_PATH, webhook.ca), forRoot(WEBHOOK_PATH, renderWebhook(webhook, url, token))];
}

function mailFiles(context: Secrets, mail: MailSettings): NotifierFile[] {
  const { smtp } = mail;
  if (smtp === null) return [];
  const password = smtp.passwordEnv === null ? undefined : secretOf(context, smtp.passwordEnv);
  return [...caFile(MAIL_CA_PATH, smtp.ca), forRoot(MAIL_PATH, renderMail(mail, smtp, password))];
}

function caFile(path: string, ca: string | null): NotifierFile[] {
  return ca === null ? [] : [forRoot(path, ca)];
}

function forRoot(path: string, content: string): NotifierFile {
  return { path, content, mode: 0o600 };
}

/** Of one line: with more it would be further options of curl's. */
function secretOf(context: Secrets, variable: string): string {
  const value = context.secret(variable);
  if (value === undefined) {
    throw new KubewrightError(
      'KW458',
      `the worker's environment has no ${variable}, which "loadBalancer.notify" names`,
      {
        hint: `Set ${variable} where the worker is started (\`kubewright install\` starts one that has it), then retry the step.`,
      },
    );
  }
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) throw unfit(variable, 'it holds a line end or another control character');
  return value;
}

function addressIn(context: Secrets, variable: string): string {
  const url = secretOf(context, variable);
  if (!/^https?:\/\/[^\s/]+/.test(url)) throw unfit(variable, 'it is no address with http:// or https:// in front');
  return url;
}

function unfit(variable: string, why: string): KubewrightError {
  return new KubewrightError(
    'KW459',
    `${variable} in the worker's environment cannot be what "loadBalancer.notify" needs: ${why}`,
    {
      hint: `Set ${variable} to the right value where the worker is started, then retry the step.`,
    },
  );
}
