import { z } from 'zod';
import { environmentName, localPath, port, text, wrong } from '../schema/forms.js';
import { nullable, optional, required } from '../schema/keys.js';
import { SMTP_TLS } from './settings.js';

const address = (example: string) =>
  text(
    `an address such as ${example}, without user and password (a token goes into tokenEnv, a secret address into urlEnv)`,
    /^https?:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,2000})?$/,
  );
export const mailAddress = () =>
  text(
    'a mail address such as ops@example.org',
    /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
  );
export const mailAddresses = () =>
  z.array(mailAddress(), wrong('a list of mail addresses')).min(1, wrong('at least one mail address'));
const mailServer = () => text('a DNS name or an IPv4 address', /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/);
const login = () => text('a user name on one line', /^[^\p{C}\u2028\u2029:]{1,256}$/u);
const argument = () => text('a text on one line', /^[^\p{C}\u2028\u2029]{0,4096}$/u);

const caFile = (of: string, trusted: string) =>
  nullable(
    localPath('./webhook-ca.pem'),
    `File with the certificates that sign ${of}'s, as PEM. null: the ones that ${trusted}.`,
  );

/**
 * Keys of a webhook.
 *
 * @param words what is posted, an example of an address, and whose certificates count where the file names none
 */
export const webhookKeys = (words: { posted: string; example: string; trusted: string }) => ({
  url: optional(address(words.example), `Address to which ${words.posted} is posted as JSON. Or urlEnv.`),
  urlEnv: optional(
    environmentName(),
    "Name of the variable in the worker's environment that holds the address, where that is itself a secret.",
  ),
  tokenEnv: nullable(
    environmentName(),
    "Name of the variable in the worker's environment that holds a token, sent as `Authorization: Bearer`.",
    null,
  ),
  caFile: caFile('the server', words.trusted),
});

/** A mail server. @param trusted whose certificates count where the file names none */
export const smtpMap = (trusted: string) =>
  z.strictObject(
    {
      server: required(mailServer(), 'The mail server.'),
      port: optional(port(), 'Its port. Default: 587 with STARTTLS, 465 with implicit TLS, 25 without.'),
      tls: optional(
        z.enum(['starttls', 'implicit', 'none'], wrong('starttls, implicit or none')),
        'How the connection is encrypted. starttls: never without it.',
        SMTP_TLS,
      ),
      user: nullable(login(), 'Who logs in there. null: nobody.', null),
      passwordEnv: nullable(
        environmentName(),
        "Name of the variable in the worker's environment that holds the password.",
        null,
      ),
      caFile: caFile('the mail server', trusted),
    },
    wrong('a map with at least server'),
  );

/** A program and its arguments. */
export const commandList = () =>
  z
    .array(argument(), wrong('a list: the path of a program and its arguments'))
    .min(1, wrong('at least the path of a program'));
