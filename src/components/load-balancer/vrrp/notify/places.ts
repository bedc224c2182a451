/** Where a control plane has what tells of changes of the virtual IP. */

/** The program that waits for changes. It has the settings in it, and no secret. */
export const NOTIFIER_PATH = '/usr/local/lib/kubewright/notify-vip';

export const NOTIFIER_SERVICE = 'kubewright-vip-notify';
export const NOTIFIER_UNIT_PATH = `/etc/systemd/system/${NOTIFIER_SERVICE}.service`;

/** What curl reads: only root may, for it may hold secrets. */
const DIRECTORY = '/etc/kubewright/vip-notify';
export const WEBHOOK_PATH = `${DIRECTORY}/webhook.curl`;
export const WEBHOOK_CA_PATH = `${DIRECTORY}/webhook-ca.pem`;
export const MAIL_PATH = `${DIRECTORY}/mail.curl`;
export const MAIL_CA_PATH = `${DIRECTORY}/mail-ca.pem`;

/** The named pipe into which keepalived writes each of its states. */
export const EVENTS_PATH = '/run/kubewright/vip-events';

/** Who held the virtual IP last, as far as this host knows. It outlives a reboot: after one the host asks who has it. */
export const HOLDER_PATH = '/var/lib/kubewright/vip-holder';

/** All that may be there, whatever the file says now. */
export const NOTIFIER_FILES = [
  NOTIFIER_UNIT_PATH,
  NOTIFIER_PATH,
  WEBHOOK_PATH,
  WEBHOOK_CA_PATH,
  MAIL_PATH,
  MAIL_CA_PATH,
] as const;
