import { z } from 'zod';
import { commandList, mailAddress, mailAddresses, smtpMap, webhookKeys } from '../channels/schema.js';
import { DURATION, millisecondsIn } from '../duration.js';
import { dnsName, hostPattern, text, wrong } from '../schema/forms.js';
import { optional, required, section } from '../schema/keys.js';
import { SNAPSHOT_MAX_AGE, WEBHOOK_FORMAT } from './settings.js';

const TRUSTED = "the worker's machine trusts";

const webhook = z.strictObject(
  {
    ...webhookKeys({ posted: 'each change', example: 'https://hooks.example.org/health', trusted: TRUSTED }),
    format: optional(
      z.enum(['json', 'chat'], wrong('json or chat')),
      'What is posted. json: everything. chat: `{ "text": "…" }`, which incoming webhooks of chat programs take.',
      WEBHOOK_FORMAT,
    ),
  },
  wrong('a map with url or urlEnv'),
);

const mail = z.strictObject(
  {
    to: required(mailAddresses(), 'Who gets the mail.'),
    from: required(mailAddress(), 'Who it is from.'),
    smtp: required(smtpMap(TRUSTED), "The mail server that takes it. Without TLS only on the worker's own machine."),
  },
  wrong('a map with to, from and smtp'),
);

const notify = z.strictObject(
  {
    webhook: section(webhook, 'Posts JSON to an address.'),
    mail: section(mail, 'Sends a mail.'),
    command: section(
      commandList(),
      "Program on the worker's machine, and its arguments: started without a shell, with the JSON as its input.",
    ),
  },
  wrong('a map with webhook, mail and command'),
);

const LEAST_AGE_MS = 60_000;
const AGE = 'a duration such as 26h or 90m, at least a minute';

const snapshots = z.strictObject(
  {
    files: required(
      hostPattern('/var/backups/etcd/*.db'),
      'Where they lie on the hosts with a member of etcd: an absolute path, whose last part may have `*`, `?` and `[…]`.',
    ),
    maxAge: optional(
      text(AGE, DURATION).refine((written) => (millisecondsIn(written) ?? 0) >= LEAST_AGE_MS, wrong(AGE)),
      'How old the newest one of all hosts may be.',
      SNAPSHOT_MAX_AGE,
    ),
  },
  wrong('a map with files and maxAge'),
);

/** Each is asked for by a pod on every node. */
const MOST_NAMES = 5;

/** `spec.health` as it is written. */
export const health = section(
  z.strictObject(
    {
      notify: section(
        notify,
        'Who is told when the verdict of health checks changes: once for each change, by the worker. A check goes by the file that it is asked with, a schedule by the one that `health schedule` had.',
      ),
      snapshots: section(
        snapshots,
        'Snapshots of etcd that somebody else makes: health checks tell when the newest one is too old, or there is none.',
      ),
      outsideNames: section(
        z
          .array(dnsName('registry.example.org'), wrong('a list of DNS names'))
          .max(MOST_NAMES, wrong(`at most ${MOST_NAMES} names`)),
        'Names outside of the cluster that pods on every node have to resolve, such as that of a registry or a database. None: whether there is a world outside is yours to say.',
      ),
    },
    wrong('a map with notify, snapshots and outsideNames'),
  ),
  'Health checks.',
);
