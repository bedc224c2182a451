import { KubewrightError } from '../../../errors.js';

/** One thing about a host (or about several) that an installation would founder on. */
export interface Problem {
  /** KW3xx; stable, for a person may overrule a check by it. */
  code: string;
  /** What is the case, as the rest of a sentence about the host: "it has only one CPU". */
  what: string;
  /** What to do about it, one sentence in the imperative. */
  hint: string;
  /** `warning`: it is shown, and stops nothing. An error unless said otherwise. */
  severity?: 'error' | 'warning';
  /** Name of the host that it is about, where it is about one. */
  host?: string;
  /** Names of the hosts that it is about, where a check found several at odds with each other. */
  hosts?: string[];
  /** Why a person has overruled it, in the words of `spec.preflight.ignore`: it is shown, and stops nothing. */
  overruled?: string;
}

/** A problem as one line for `plan` and for a step's summary. */
export function described({ code, what, hint, overruled }: Problem): string {
  if (overruled !== undefined) return `overruled: ${code} (${overruled}): ${what}`;
  return `${code}: ${what}. ${hint}`;
}

/** Those that stop an installation, and those that are only told. */
export function bySeverity(problems: Problem[]): { errors: Problem[]; warnings: Problem[] } {
  const warns = ({ severity, overruled }: Problem) => severity === 'warning' || overruled !== undefined;
  return { errors: problems.filter((each) => !warns(each)), warnings: problems.filter(warns) };
}

/**
 * One error for all problems, so that a person mends them in one go. It bears the code of a single problem, and KW300
 * when there are several; each is named with its own code.
 */
export function preflightError(problems: Problem[], host?: string): KubewrightError {
  const [first, ...others] = problems;
  if (first !== undefined && others.length === 0) {
    return new KubewrightError(first.code, first.what, { hint: first.hint, host });
  }
  const list = problems.map(({ code, what, hint }) => `\n  ${code} ${what}\n        ${hint}`).join('');
  return new KubewrightError('KW300', `${problems.length} things stand in the way:${list}`, {
    hint: 'Mend them all, then retry the step.',
    host,
  });
}

/** `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length <= 1) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
