import { VERBS } from '../workflows/types.js';
import type { DecisionRequest } from './told.js';

/** Longest reason: it goes into a history, and a person reads it. */
const REASON = 1_000;
/** Longest id of a step: two names of 63 letters, with room. */
const STEP = 200;

/** Reads a decision of the page. Whether it makes sense is for the workflow to say. @returns undefined where it is none */
export function decisionIn(body: string): DecisionRequest | undefined {
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof given !== 'object' || given === null) return undefined;
  const { verb, step, blocking, reason, ...others } = given as Record<string, unknown>;
  const known = VERBS.find((name) => name === verb);
  if (known === undefined || Object.keys(others).length > 0) return undefined;
  if (!isText(step, STEP) || !isText(reason, REASON)) return undefined;
  if (blocking !== undefined && (typeof blocking !== 'number' || !Number.isSafeInteger(blocking))) return undefined;
  return { verb: known, step, blocking, reason };
}

function isText(value: unknown, longest: number): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value.length <= longest);
}
