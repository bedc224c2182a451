import { z } from 'zod';
import type { Path } from '../../../../cluster/path.js';
import { type Draft, type INVALID, inner, isValid, pick } from '../../../../cluster/resolve/draft.js';
import { environmentName, localPath, port, text, wrong } from '../../../../cluster/schema/forms.js';
import { nullable, optional, required, section } from '../../../../cluster/schema/keys.js';
import type { Surroundings } from '../../../schema-types.js';
import { NOTIFY_DEFAULTS, SMTP_PORTS, type SmtpTls } from './settings.js';

const URL_FORM =
  'an address such as https://hooks.example.org/vip, without user and password (a token goes into tokenEnv, a secret address into urlEnv)';

const address = () =>
  text(
    URL_FORM,
    /^https?:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,2000})?$/,
  );
const mailAddress = () =>
  text(
    'a mail address such as ops@example.org',
    /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
  );
const mailServer = () => text('a DNS name or an IPv4 address', /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/);
const login = () => text('a user name on one line', /^[^\p{C}\u2028\u2029:]{1,256}$/u);
const argument = () => text('a text on one line', /^[^\p{C}\u2028\u2029]{0,4096}$/u);

const caFile = (of: string) =>
  nullable(
    localPath('./webhook-ca.pem'),
    `File with the certificates that sign ${of}'s, as PEM. null: the ones that the hosts trust.`,
  );

const webhook = z.strictObject(
  {
    url: optional(address(), 'Address to which each change is posted as JSON. Or urlEnv.'),
    urlEnv: optional(
      environmentName(),
      "Name of the variable in the worker's environment that holds the address, where that is itself a secret.",
    ),
    tokenEnv: nullable(
      environmentName(),
      "Name of the variable in the worker's environment that holds a token, sent as `Authorization: Bearer`.",
      null,
    ),
    caFile: caFile('the server'),
  },
  wrong('a map with url or urlEnv'),
);

const smtp = z.strictObject(
  {
    server: required(mailServer(), 'The mail server.'),
    port: optional(port(), 'Its port. Default: 587 with STARTTLS, 465 with implicit TLS, 25 without.'),
    tls: optional(
      z.enum(['starttls', 'implicit', 'none'], wrong('starttls, implicit or none')),
      'How the connection is encrypted. starttls: never without it.',
      NOTIFY_DEFAULTS.smtpTls,
    ),
    user: nullable(login(), 'Who logs in there. null: nobody.', null),
    passwordEnv: nullable(
      environmentName(),
      "Name of the variable in the worker's environment that holds the password.",
      null,
    ),
    caFile: caFile('the mail server'),
  },
  wrong('a map with at least server'),
);

const mail = z.strictObject(
  {
    to: required(
      z.array(mailAddress(), wrong('a list of mail addresses')).min(1, wrong('at least one mail address')),
      'Who gets the mail.',
    ),
    from: required(mailAddress(), 'Who it is from.'),
    smtp: section(smtp, 'The mail server that takes it. Left out: `sendmail` of the control planes.'),
  },
  wrong('a map with to and from'),
);

const command = z
  .array(argument(), wrong('a list: the path of a program and its arguments'))
  .min(1, wrong('at least the path of a program'));

/** `loadBalancer.notify` as it is written. */
export const notifyKey = section(
  z.strictObject(
    {
      webhook: section(webhook, 'Posts JSON to an address.'),
      mail: section(mail, 'Sends a mail.'),
      command: section(
        command,
        'Program on the control planes, and its arguments: started as root by the new holder, with the JSON as its input.',
      ),
    },
    wrong('a map with webhook, mail and command'),
  ),
  'Who is told when the virtual IP moves: once for each move, by the host that has it from then on.',
);

type NotifyInput = NonNullable<z.infer<typeof notifyKey>>;
export type NotifyDraft = Draft<NotifyInput> | null | undefined;
type WebhookDraft = Draft<NonNullable<NotifyInput['webhook']>> | null;
type MailDraft = Draft<NonNullable<NotifyInput['mail']>> | null;
type SmtpDraft = Draft<NonNullable<NonNullable<NotifyInput['mail']>['smtp']>> | null;

export const NOTIFY: Path = ['spec', 'loadBalancer', 'notify'];

/** The key as a load balancer keeps it: left out where it is not written, so that a cluster without it stays what it was. */
export function resolveNotify(notify: NotifyDraft | typeof INVALID, { read }: Pick<Surroundings, 'read'>) {
  if (notify === null || notify === undefined) return {};
  const ca = (written: string | null | undefined, place: Path) =>
    typeof written === 'string' ? read(written, [...NOTIFY, ...place], undefined)?.content : written;
  const hook = inner(notify, 'webhook');
  const post = inner(notify, 'mail');
  const argv = pick(notify, 'command', null);
  return {
    notify: {
      webhook: hook === null ? null : resolveWebhook(hook, ca),
      mail: post === null ? null : resolveMail(post, ca),
      command: argv == null ? argv : argv.map(textOf),
    },
  };
}

/** What is wrong keeps its place in a list. */
const textOf = (each: string | typeof INVALID): string => (isValid(each) ? each : '');

type ReadCa = (written: string | null | undefined, place: Path) => string | null | undefined;

function resolveWebhook(hook: WebhookDraft, ca: ReadCa) {
  return {
    url: pick(hook, 'url', null),
    urlEnv: pick(hook, 'urlEnv', null),
    tokenEnv: pick(hook, 'tokenEnv', null),
    ca: ca(pick(hook, 'caFile', null), ['webhook', 'caFile']),
  };
}

function resolveMail(post: MailDraft, ca: ReadCa) {
  const server = inner(post, 'smtp');
  return {
    to: (pick(post, 'to', []) ?? []).map(textOf),
    from: pick(post, 'from', undefined),
    smtp: server === null ? null : resolveSmtp(server, ca),
  };
}

function resolveSmtp(server: SmtpDraft, ca: ReadCa) {
  const tls: SmtpTls | undefined = pick(server, 'tls', NOTIFY_DEFAULTS.smtpTls);
  return {
    server: pick(server, 'server', undefined),
    port: pick(server, 'port', SMTP_PORTS[tls ?? NOTIFY_DEFAULTS.smtpTls]),
    tls,
    user: pick(server, 'user', null),
    passwordEnv: pick(server, 'passwordEnv', null),
    ca: ca(pick(server, 'caFile', null), ['mail', 'smtp', 'caFile']),
  };
}
