import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import type { SmtpSettings, WebhookSettings } from './settings.js';

/** Somebody is told at all. @param place of the key that holds the channels */
export function checkChannels(channels: readonly unknown[], place: Path, report: Report): void {
  if (channels.some((channel) => channel !== null)) return;
  report.error(place, 'notify-nobody', {
    message: 'this tells nobody',
    expected: 'webhook, mail or command',
    found: '',
    at: 'key',
  });
}

/** Rules between the keys of a webhook. A key that is undefined is wrong by itself, and told as that. */
export function checkWebhook(
  { url, urlEnv, tokenEnv, ca }: Sketch<WebhookSettings>,
  place: Path,
  report: Report,
): void {
  const isKnown = url !== undefined && urlEnv !== undefined;
  if (isKnown && (url === null) === (urlEnv === null)) {
    const both = url !== null;
    report.error(both ? [...place, 'urlEnv'] : place, 'notify-address', {
      message: both ? 'url says already where to post to' : 'nothing says where to post to',
      expected: both ? 'one of url and urlEnv' : 'url or urlEnv',
      found: '',
      at: 'key',
    });
  }
  if (typeof url !== 'string' || !url.startsWith('http://')) return;
  if (typeof tokenEnv === 'string') {
    report.error([...place, 'url'], 'notify-in-clear', {
      message: 'the token of tokenEnv would cross the network in clear',
      expected: 'an https address, or no tokenEnv',
    });
  }
  if (typeof ca === 'string') {
    report.error([...place, 'caFile'], 'notify-without-tls', {
      message: 'certificates are of no use for an http address',
      expected: 'an https address, or no caFile',
    });
  }
}

/** Rules between the keys of a mail server; undefined as above. */
export function checkSmtp({ tls, user, passwordEnv, ca }: Sketch<SmtpSettings>, place: Path, report: Report): void {
  const isKnown = user !== undefined && passwordEnv !== undefined;
  if (isKnown && (user === null) !== (passwordEnv === null)) {
    const [has, lacks] = user === null ? ['passwordEnv', 'user'] : ['user', 'passwordEnv'];
    report.error([...place, has], 'notify-login', {
      message: 'a login is a user and a password',
      expected: `${lacks} as well, or none of both`,
      at: 'key',
    });
  }
  if (tls !== 'none') return;
  if (typeof passwordEnv === 'string') {
    report.error([...place, 'tls'], 'notify-in-clear', {
      message: 'the password of passwordEnv would cross the network in clear',
      expected: 'starttls or implicit, or no login',
    });
  }
  if (typeof ca === 'string') {
    report.error([...place, 'caFile'], 'notify-without-tls', {
      message: 'certificates are of no use without TLS',
      expected: 'tls: starttls or implicit, or no caFile',
    });
  }
}

/** The program of a command has a whole path. @param where it runs, such as "on the control planes" */
export function checkCommand(
  command: readonly string[] | null | undefined,
  { place, where, example }: { place: Path; where: string; example: string },
  report: Report,
): void {
  const program = command?.[0];
  if (!program || program.startsWith('/')) return;
  report.error([...place, 0], 'notify-command', {
    message: 'it is started without a shell and without a PATH of yours',
    expected: `the whole path of a program ${where}, such as ${example}`,
  });
}
