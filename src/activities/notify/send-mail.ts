import type { SmtpSettings } from '../../cluster/channels/settings.js';

/** A mail as it is handed over. */
export interface Mail {
  /** Unique; a mail that is sent again has the same. */
  id: string;
  to: string[];
  from: string;
  subject: string;
  text: string;
}

/** Where it is handed over. */
export interface MailServer extends Pick<SmtpSettings, 'server' | 'port' | 'tls' | 'user' | 'ca'> {
  password: string | undefined;
}

/** Addresses that the server did not take, where it took others. */
export type SendMail = (mail: Mail, server: MailServer, signal: AbortSignal) => Promise<{ rejected: string[] }>;

/** For each answer of the server. The whole of it is bounded by the signal. */
const ANSWER_MS = 8_000;

/** By nodemailer. With `starttls` nothing is said, no login either, before the connection is encrypted. */
export const sendMail: SendMail = async (mail, { server, port, tls, user, ca, password }, signal) => {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: server,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user === null ? {} : { auth: { user, pass: password ?? '' } }),
    tls: ca === null ? {} : { ca },
    connectionTimeout: ANSWER_MS,
    greetingTimeout: ANSWER_MS,
    socketTimeout: ANSWER_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const { id, to, from, subject, text } = mail;
  const sending = transport.sendMail({
    from,
    to,
    subject,
    text,
    messageId: `<${id}@kubewright>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  });
  const { rejected } = await beforeEndOf(signal, sending).finally(() => transport.close());
  return { rejected };
};

/** nodemailer takes no signal: what is under way ends by its own limits. */
async function beforeEndOf<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let end = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason);
    signal.addEventListener('abort', end, { once: true });
  });
  work.catch(() => {});
  try {
    signal.throwIfAborted();
    return await Promise.race([work, ended]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
