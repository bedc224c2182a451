import { reasonOf } from '../../engine/told.js';
import { isKubewrightError } from '../../errors.js';
import { printable } from '../../terminal/text.js';

/** What the page says while something cannot be asked: what happened, and that it is tried again. */
export function troubleOf(failure: unknown): string {
  if (isKubewrightError(failure)) {
    const { code, message, hint = '' } = failure;
    return printable(`${message} (${code}). ${hint}`.trim());
  }
  return printable(
    `Temporal could not be asked, and what is shown may be old; it is tried again. ${reasonOf(failure)}`,
  );
}

/** The same where the server does not even answer. */
export const UNANSWERED = 'Temporal does not answer, and what is shown may be old; it is tried again.';
