import { KubewrightError, messageOf } from '../../errors.js';

/** Looks up what the worker's environment holds. */
export type LookUp = (variable: string) => string | undefined;

/** Longest that a server or a program is quoted. */
const QUOTED = 200;

/**
 * A channel that could not be told: KW686. What is wrong for good fails at once, what a moment may heal is tried again.
 *
 * @param hint what to do besides; the next check tries it again anyway
 */
export function untold(
  message: string,
  { hint, transient = false, cause }: { hint: string; transient?: boolean; cause?: unknown },
): KubewrightError {
  return new KubewrightError('KW686', message, { hint: `${hint} The next check tries it again.`, transient, cause });
}

/** A secret that the file names. @throws KubewrightError KW686 where the worker's environment has none */
export function secretOf(variable: string, lookUp: LookUp): string {
  const value = lookUp(variable);
  if (value !== undefined && value !== '') return value;
  throw untold(`the worker's environment has no ${variable}`, {
    hint: `Set ${variable} where the worker is started, and start the worker anew.`,
  });
}

/** What somebody said, short, on one line, and without the secrets that it may repeat. */
export function quoted(text: string, secrets: readonly (string | undefined)[]): string {
  const clear = secrets.reduce<string>(
    (said, secret) => (secret === undefined || secret === '' ? said : said.replaceAll(secret, '***')),
    text,
  );
  return clear
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, QUOTED);
}

/** Why a connection came to nothing, without the secrets of its address. */
export function reasonOf(error: unknown, secrets: readonly (string | undefined)[]): string {
  // Attempts at several addresses of a name fail together, and say nothing themselves.
  const first = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  return quoted(messageOf(first), secrets) || 'the connection failed';
}

/** Certificates that do not hold now do not hold in a second. */
export function isUntrusted(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^ERR_TLS|^ERR_SSL/.test(code);
}
