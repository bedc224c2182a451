import { MAIL_CA_PATH, WEBHOOK_CA_PATH } from '../places.js';
import type { MailSettings, SmtpSettings, WebhookSettings } from '../settings.js';

/** One option of curl in its file; in quotes only backslashes, quotes and line ends mean something (curl(1), --config). */
function option(name: string, value: string): string {
  return `${name} = "${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"\n`;
}

/** curl takes no answer for ever: a try ends within ten seconds. Proxies are for packages and images. */
const COMMON = `# Written by Kubewright; for root alone.
silent
show-error
connect-timeout = 5
max-time = 10
noproxy = "*"
`;

/**
 * What curl reads to post to the webhook; the JSON comes as its input.
 *
 * @param url the address, wherever it was found
 */
export function renderWebhook({ ca }: WebhookSettings, url: string, token: string | undefined): string {
  return [
    COMMON,
    'fail\n',
    option('url', url),
    option('output', '/dev/null'),
    option('header', 'Content-Type: application/json'),
    ...(token === undefined ? [] : [option('header', `Authorization: Bearer ${token}`)]),
    ...(ca === null ? [] : [option('cacert', WEBHOOK_CA_PATH)]),
  ].join('');
}

/** What curl reads to hand a mail to the mail server; the mail comes as its input. */
export function renderMail({ to, from }: MailSettings, smtp: SmtpSettings, password: string | undefined): string {
  const { server, port, tls, user, ca } = smtp;
  return [
    COMMON,
    option('url', `${tls === 'implicit' ? 'smtps' : 'smtp'}://${server}:${port}`),
    ...(tls === 'starttls' ? ['ssl-reqd\n'] : []),
    'crlf\n',
    option('mail-from', from),
    ...to.map((each) => option('mail-rcpt', each)),
    ...(user === null ? [] : [option('user', `${user}:${password ?? ''}`)]),
    ...(ca === null ? [] : [option('cacert', MAIL_CA_PATH)]),
  ].join('');
}
