import { checkChannels, checkCommand, checkSmtp, checkWebhook } from '../../../../cluster/channels/checks.js';
import type { Check } from '../../../../cluster/checks/index.js';
import { NOTIFY } from './schema.js';

/** Rules between the keys of `loadBalancer.notify`. */
export const checkNotify: Check = ({ loadBalancer }, report) => {
  const notify = 'notify' in loadBalancer ? loadBalancer.notify : undefined;
  if (notify === undefined) return;
  const { webhook, mail, command } = notify;
  checkChannels([webhook, mail, command], NOTIFY, report);
  if (webhook) checkWebhook(webhook, [...NOTIFY, 'webhook'], report);
  if (mail?.smtp) checkSmtp(mail.smtp, [...NOTIFY, 'mail', 'smtp'], report);
  checkCommand(
    command,
    { place: [...NOTIFY, 'command'], where: 'on the control planes', example: '/usr/local/sbin/on-vip-change' },
    report,
  );
};
