import { KubewrightError } from '../errors.js';

/**
 * What a query came to. "I could not ask" is never "no": a query that failed, timed out or came back cut short is
 * `unknown`, and the type makes each caller decide what to do then.
 *
 * Whatever destroys something (deletes a node, removes a member, resets a host, moves data aside) takes a `No` as its
 * argument: the negative answer that permits it. Only `no()` makes one, and only for an answer that was really given.
 */
export type Answer<T> = Yes<T> | No | Unknown;

export interface Yes<T> {
  readonly is: 'yes';
  readonly value: T;
}

export interface Unknown {
  readonly is: 'unknown';
  /** Why it is not known, as the rest of a sentence: "kubectl said: the server is currently unable …". */
  readonly why: string;
}

/** A negative answer that was given. Nominal (a private field), so that no object literal passes for one. */
class GivenNo {
  readonly is = 'no';
  readonly #evidence: string;

  constructor(evidence: string) {
    this.#evidence = evidence;
  }

  /** Who gave it and to which question, for messages. */
  get evidence(): string {
    return this.#evidence;
  }
}

export type No = GivenNo;

export function yes<T>(value: T): Yes<T> {
  return { is: 'yes', value };
}

/** @param evidence who said no, and to what: "the API has no node w-1" */
export function no(evidence: string): No {
  return new GivenNo(evidence);
}

export function unknown(why: string): Unknown {
  return { is: 'unknown', why };
}

/** Turns the value of a yes into another answer, for what its text says; `no` and `unknown` stay what they are. */
export function refine<T, U>(answer: Answer<T>, judge: (value: T) => Answer<U>): Answer<U> {
  return answer.is === 'yes' ? judge(answer.value) : answer;
}

/** The values of all, or the first answer that is no yes. */
export function every<T>(answers: Answer<T>[]): Answer<T[]> {
  const values: T[] = [];
  for (const answer of answers) {
    if (answer.is !== 'yes') return answer;
    values.push(answer.value);
  }
  return yes(values);
}

/**
 * The answer, unless it is unknown.
 *
 * @param question what was asked, as the rest of "cannot tell …": "whether w-1 is a node of the cluster"
 * @throws KubewrightError KW433 (transient: it is asked again) when it is not known
 */
export function requireKnown<T>(answer: Answer<T>, question: string, host?: string): Yes<T> | No {
  if (answer.is !== 'unknown') return answer;
  throw cannotTell(question, answer.why, host);
}

/**
 * The value of a question to which a no cannot be: a list of what is there, an object that every cluster has. A no is
 * taken for a question that went wrong.
 *
 * @param question as for `requireKnown`
 * @throws KubewrightError KW433 (transient: it is asked again) for everything but a yes
 */
export function requireYes<T>(answer: Answer<T>, question: string, host?: string): T {
  if (answer.is === 'yes') return answer.value;
  throw cannotTell(question, answer.is === 'no' ? answer.evidence : answer.why, host);
}

function cannotTell(question: string, why: string, host: string | undefined): KubewrightError {
  return new KubewrightError('KW433', `cannot tell ${question}: ${why}`, {
    host,
    transient: true,
    hint: 'Nothing was changed. It is asked again by itself; if it stays so, mend what the message names.',
  });
}
