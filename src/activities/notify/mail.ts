import type { HealthMail } from '../../cluster/health/settings.js';
import type { HealthMessage } from '../../plan/health-message.js';
import type { TellOutput } from '../../plan/run.js';
import type { SendMail } from './send-mail.js';
import { isUntrusted, type LookUp, reasonOf, secretOf, untold } from './trouble.js';

/** What the activity works with. */
export interface MailSurroundings {
  sendMail: SendMail;
  lookUp: LookUp;
  /** Ends the try. */
  signal: AbortSignal;
}

/**
 * Hands a mail over to a mail server. What that takes for some of the addresses only is told, and not sent again.
 *
 * @throws KubewrightError KW686 where the password is missing, or the server does not take it
 */
export async function mailMessage(
  { to, from, smtp }: HealthMail,
  { subject, text, json }: HealthMessage,
  { sendMail, lookUp, signal }: MailSurroundings,
): Promise<TellOutput> {
  const { passwordEnv, ...server } = smtp;
  const password = passwordEnv === null ? undefined : secretOf(passwordEnv, lookUp);
  try {
    const { rejected } = await sendMail({ id: json.id, to, from, subject, text }, { ...server, password }, signal);
    if (rejected.length === 0) return {};
    const what = `${smtp.server} took no mail for ${rejected.slice(0, 3).join(', ')}`;
    return { undelivered: { what, hint: 'Correct the addresses; the others have got it.' } };
  } catch (error) {
    throw unsent(error, smtp.server, password, signal);
  }
}

/** As nodemailer tells them apart. */
const HINTS: Readonly<Record<string, string>> = {
  EAUTH: 'See whether user and password are right, and whether the server takes them.',
  ETLS: 'See whether tls and port are what the server offers.',
  EENVELOPE: 'See whether the server takes mail from this address, and for these.',
};

function unsent(error: unknown, server: string, password: string | undefined, signal: AbortSignal): Error {
  if (signal.aborted) {
    return untold(`${server} did not answer in time`, { hint: 'See whether it works.', transient: true, cause: error });
  }
  const { code = '', responseCode = 0 } = error as { code?: string; responseCode?: number };
  const words = `${server} did not take the mail: ${reasonOf(error, [password])}`;
  if (isUntrusted(error) || (code === 'ESOCKET' && /certificate/i.test(words))) {
    return untold(words, { hint: 'Name the certificates that sign its own with caFile.' });
  }
  const hint = HINTS[code] ?? "See whether it works, and is reachable from the worker's machine.";
  const isForGood = responseCode >= 500 || code in HINTS;
  return untold(words, { hint, transient: !isForGood || (responseCode >= 400 && responseCode < 500) });
}
