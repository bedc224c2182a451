import { clockQuestions } from './clock.js';
import type { Concern, LookedAt } from './concern.js';

/** systemd answers in a moment or, when it hangs, after half a minute for each of many questions. */
const SYSTEMCTL = 'systemctl() { timeout 5 systemctl "$@"; }';

/**
 * Seconds for all questions together. Those with a bound of their own need less, but a bound ends nothing that hangs in the
 * kernel. The worker waits for a minute, and would lose every answer.
 */
const ALL_SECONDS = 45;

/**
 * Bash: `bounded_wait PID…` waits for jobs, and ends them when they take too long. `read` is the clock that leaves no process behind.
 */
const BOUNDED_WAIT = `bounded_wait() {
  local kw_watchdog
  { read -r -t ${ALL_SECONDS} <> <(:); kill -KILL "$@"; } >/dev/null 2>&1 &
  kw_watchdog=$!
  wait "$@" 2>/dev/null
  kill "$kw_watchdog" 2>/dev/null
}
`;

/**
 * Bash: runs questions, and gives up those that hang. They write to a pipe, and only `cat` to where the answer goes: a process that
 * cannot be killed would hold that open, and the connection with it.
 */
function bounded(questions: string): string {
  return `{
${questions}
wait
} 2>/dev/null | cat &
bounded_wait $(jobs -p) $!`;
}

/**
 * The questions of some concerns to one host, in one script. Those that can take long run side by side, so the host takes as long
 * as the slowest of them. Changes nothing.
 */
export function hostScript(at: LookedAt, concerns: readonly Concern[]): string {
  const questions = concerns.map((concern) => concern.questions(at)).filter((text) => text !== '');
  return `${SYSTEMCTL}\n${BOUNDED_WAIT}${clockQuestions(bounded(questions.join('\n')))}`;
}
