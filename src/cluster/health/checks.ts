import { checkChannels, checkCommand, checkSmtp, checkWebhook } from '../channels/checks.js';
import { checkCertificates } from '../checks/certificates.js';
import type { Check } from '../checks/index.js';
import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import { NOTIFY } from './resolve.js';
import type { HealthMail, HealthWebhook } from './settings.js';

/** Rules between the keys of `spec.health.notify`. */
export const checkHealthNotify: Check = ({ health }, report) => {
  if (health?.notify === undefined) return;
  const { webhook, mail, command } = health.notify;
  checkChannels([webhook, mail, command], NOTIFY, report);
  if (webhook) checkHook(webhook, report);
  if (mail) checkMail(mail, report);
  checkCommand(
    command,
    { place: [...NOTIFY, 'command'], where: "on the worker's machine", example: '/usr/local/bin/on-verdict' },
    report,
  );
};

function checkHook(webhook: Sketch<HealthWebhook>, report: Report): void {
  const place = [...NOTIFY, 'webhook'];
  checkWebhook(webhook, place, report);
  checkCertificates(webhook.ca, [...place, 'caFile'], report);
  if (webhook.format !== 'chat' || typeof webhook.url !== 'string') return;
  report.warn([...place, 'url'], 'notify-secret-address', {
    message: "whoever knows the address of a chat's webhook may write there, and it stands in Temporal in clear",
    expected: 'urlEnv, and the address in that variable of the worker, unless it is no secret',
    found: '',
  });
}

function checkMail({ smtp }: Sketch<HealthMail>, report: Report): void {
  const place = [...NOTIFY, 'mail', 'smtp'];
  checkSmtp(smtp, place, report);
  checkCertificates(smtp.ca, [...place, 'caFile'], report);
  if (smtp.tls !== 'none' || smtp.server === undefined || isOwnMachine(smtp.server)) return;
  report.error([...place, 'tls'], 'notify-in-clear', {
    message: 'names of hosts and what is wrong with them would cross the network in clear',
    expected: "starttls or implicit; none only where server is the worker's own machine (localhost, 127.0.0.1)",
  });
}

function isOwnMachine(server: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i.test(server);
}
