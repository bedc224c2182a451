import { z } from 'zod';
import { resolveSmtp, resolveWebhook, texts } from '../../../../cluster/channels/resolve.js';
import { commandList, mailAddress, mailAddresses, smtpMap, webhookKeys } from '../../../../cluster/channels/schema.js';
import type { Path } from '../../../../cluster/path.js';
import { type Draft, type INVALID, inner, pick } from '../../../../cluster/resolve/draft.js';
import { wrong } from '../../../../cluster/schema/forms.js';
import { required, section } from '../../../../cluster/schema/keys.js';
import type { Surroundings } from '../../../schema-types.js';

const webhook = z.strictObject(
  webhookKeys({ posted: 'each change', example: 'https://hooks.example.org/vip', trusted: 'the hosts trust' }),
  wrong('a map with url or urlEnv'),
);

const mail = z.strictObject(
  {
    to: required(mailAddresses(), 'Who gets the mail.'),
    from: required(mailAddress(), 'Who it is from.'),
    smtp: section(
      smtpMap('the hosts trust'),
      'The mail server that takes it. Left out: `sendmail` of the control planes.',
    ),
  },
  wrong('a map with to and from'),
);

/** `loadBalancer.notify` as it is written. */
export const notifyKey = section(
  z.strictObject(
    {
      webhook: section(webhook, 'Posts JSON to an address.'),
      mail: section(mail, 'Sends a mail.'),
      command: section(
        commandList(),
        'Program on the control planes, and its arguments: started as root by the new holder, with the JSON as its input.',
      ),
    },
    wrong('a map with webhook, mail and command'),
  ),
  'Who is told when the virtual IP moves: once for each move, by the host that has it from then on.',
);

type NotifyInput = NonNullable<z.infer<typeof notifyKey>>;
export type NotifyDraft = Draft<NotifyInput> | null | undefined;
type MailDraft = Draft<NonNullable<NotifyInput['mail']>> | null;

export const NOTIFY: Path = ['spec', 'loadBalancer', 'notify'];

/** The key as a load balancer keeps it: left out where it is not written, so that a cluster without it stays what it was. */
export function resolveNotify(notify: NotifyDraft | typeof INVALID, surroundings: Pick<Surroundings, 'read'>) {
  if (notify === null || notify === undefined) return {};
  const hook = inner(notify, 'webhook');
  const post = inner(notify, 'mail');
  return {
    notify: {
      webhook: hook === null ? null : resolveWebhook(hook, [...NOTIFY, 'webhook'], surroundings),
      mail: post === null ? null : resolveMail(post, surroundings),
      command: texts(pick(notify, 'command', null)),
    },
  };
}

function resolveMail(post: MailDraft, surroundings: Pick<Surroundings, 'read'>) {
  const server = inner(post, 'smtp');
  return {
    to: texts(pick(post, 'to', []) ?? []),
    from: pick(post, 'from', undefined),
    smtp: server === null ? null : resolveSmtp(server, [...NOTIFY, 'mail', 'smtp'], surroundings),
  };
}
