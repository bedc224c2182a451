import type { Check } from '../../../../cluster/checks/index.js';
import type { Path } from '../../../../cluster/path.js';
import type { Report } from '../../../../cluster/report.js';
import type { Sketch } from '../../../../cluster/resolve/draft.js';
import { NOTIFY } from './schema.js';
import type { NotifySettings, SmtpSettings, WebhookSettings } from './settings.js';

/** Rules between the keys of `loadBalancer.notify`. */
export const checkNotify: Check = ({ loadBalancer }, report) => {
  const notify = 'notify' in loadBalancer ? loadBalancer.notify : undefined;
  if (notify === undefined) return;
  checkChannels(notify, report);
  if (notify.webhook) checkWebhook(notify.webhook, report);
  if (notify.mail?.smtp) checkSmtp(notify.mail.smtp, report);
  const program = notify.command?.[0];
  if (program && !program.startsWith('/')) {
    report.error([...NOTIFY, 'command', 0], 'notify-command', {
      message: 'it is started without a shell and without a PATH of yours',
      expected: 'the whole path of a program on the control planes, such as /usr/local/sbin/on-vip-change',
    });
  }
};

function checkChannels({ webhook, mail, command }: Sketch<NotifySettings>, report: Report): void {
  if (webhook !== null || mail !== null || command !== null) return;
  report.error(NOTIFY, 'notify-nobody', {
    message: 'this tells nobody',
    expected: 'webhook, mail or command',
    found: '',
    at: 'key',
  });
}

function checkWebhook({ url, urlEnv, tokenEnv, ca }: Sketch<WebhookSettings>, report: Report): void {
  const place: Path = [...NOTIFY, 'webhook'];
  if ((url === null) === (urlEnv === null)) {
    const both = url !== null;
    report.error(both ? [...place, 'urlEnv'] : place, 'notify-address', {
      message: both ? 'url says already where to post to' : 'nothing says where to post to',
      expected: both ? 'one of url and urlEnv' : 'url or urlEnv',
      found: '',
      at: 'key',
    });
  }
  if (typeof url !== 'string' || !url.startsWith('http://')) return;
  if (tokenEnv !== null) {
    report.error([...place, 'url'], 'notify-in-clear', {
      message: 'the token of tokenEnv would cross the network in clear',
      expected: 'an https address, or no tokenEnv',
    });
  }
  if (ca !== null) {
    report.error([...place, 'caFile'], 'notify-without-tls', {
      message: 'certificates are of no use for an http address',
      expected: 'an https address, or no caFile',
    });
  }
}

function checkSmtp({ tls, user, passwordEnv, ca }: Sketch<SmtpSettings>, report: Report): void {
  const place: Path = [...NOTIFY, 'mail', 'smtp'];
  if ((user === null) !== (passwordEnv === null)) {
    const [has, lacks] = user === null ? ['passwordEnv', 'user'] : ['user', 'passwordEnv'];
    report.error([...place, has], 'notify-login', {
      message: 'a login is a user and a password',
      expected: `${lacks} as well, or none of both`,
      at: 'key',
    });
  }
  if (tls !== 'none') return;
  if (passwordEnv !== null) {
    report.error([...place, 'tls'], 'notify-in-clear', {
      message: 'the password of passwordEnv would cross the network in clear',
      expected: 'starttls or implicit, or no login',
    });
  }
  if (ca !== null) {
    report.error([...place, 'caFile'], 'notify-without-tls', {
      message: 'certificates are of no use without TLS',
      expected: 'tls: starttls or implicit, or no caFile',
    });
  }
}
