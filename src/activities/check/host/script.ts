import { clockQuestions } from './clock.js';
import type { Concern, LookedAt } from './concern.js';

/** systemd answers in a moment or, when it hangs, after half a minute for each of many questions. */
const SYSTEMCTL = 'systemctl() { timeout 5 systemctl "$@"; }';

/**
 * The questions of some concerns to one host, in one script. Those that can take long run side by side, so the host takes as long
 * as the slowest of them. Changes nothing.
 */
export function hostScript(at: LookedAt, concerns: readonly Concern[]): string {
  const questions = concerns.map((concern) => concern.questions(at)).filter((text) => text !== '');
  return `${SYSTEMCTL}\n${clockQuestions(questions.join('\n'))}`;
}
