import { isKubewrightError, KubewrightError } from '../../../errors.js';
import { redact } from '../../redact.js';

/** An error as it goes from one thread to another: a structured clone keeps neither a class nor its fields. */
export interface PackedError {
  name: string;
  message: string;
  stack: string | undefined;
  /** `ECONNREFUSED` and the like; of a KubewrightError see `facts`. */
  code: string | undefined;
  facts: Facts | undefined;
  cause: PackedError | undefined;
}

type Facts = Pick<KubewrightError, 'code' | 'hint' | 'host' | 'step' | 'output' | 'transient'>;

/** No chain of causes is longer, unless it is a circle. */
const MOST_CAUSES = 8;

export function packError(error: unknown, depth = 0): PackedError {
  if (!(error instanceof Error))
    return {
      name: 'Error',
      message: String(error),
      stack: undefined,
      code: undefined,
      facts: undefined,
      cause: undefined,
    };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    name,
    message,
    stack,
    code: typeof code === 'string' ? code : undefined,
    facts: isKubewrightError(error) ? factsOf(error) : undefined,
    cause: cause === undefined || depth === MOST_CAUSES ? undefined : packError(cause, depth + 1),
  };
}

function factsOf({ code, hint, host, step, output, transient }: KubewrightError): Facts {
  return { code, hint, host, step, output, transient };
}

/**
 * The error as it was thrown. What a host said is redacted once more: the passwords of this process are known in this thread
 * alone.
 */
export function unpackError({ name, message, stack, code, facts, cause: packed }: PackedError): Error {
  const cause = packed && unpackError(packed);
  const output = facts?.output === undefined ? undefined : redact(facts.output);
  const error = facts
    ? new KubewrightError(facts.code, message, { ...facts, output, cause })
    : Object.assign(new Error(message, cause && { cause }), code === undefined ? { name } : { name, code });
  if (stack !== undefined) error.stack = stack;
  return error;
}
