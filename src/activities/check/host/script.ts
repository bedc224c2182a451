import { clockQuestions } from './clock.js';
import type { LookedAt } from './concern.js';
import { CONCERNS } from './concerns.js';

/**
 * All questions to one host, in one script. The slow ones run side by side, so the host takes as long as the slowest of them.
 * Changes nothing.
 */
export function hostScript(at: LookedAt): string {
  const questions = CONCERNS.map((concern) => concern.questions(at)).filter((text) => text !== '');
  return clockQuestions(questions.join('\n'));
}
