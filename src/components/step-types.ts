import type { StepImplementation } from '../activities/types.js';

/** How each of a choice's actions is carried out; the compiler holds it complete. */
export type StepsOf<Actions extends readonly string[]> = Record<Actions[number], StepImplementation>;
