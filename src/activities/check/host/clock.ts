import { type Answers, couldNotLook, type Fault } from './concern.js';

/** etcd's members complain from one second on (rafthttp's `MaxClockDifference`). */
const LARGEST_SKEW = 1;

/** A clock that is known no better than this is not known: by then a difference of several seconds would go unseen. */
const LARGEST_UNCERTAINTY = 5;

/**
 * Bash: the host's time before and behind all other questions, so that what these take does not blur it.
 *
 * @param others questions that end by themselves, at the latest as a whole (`bounded`)
 */
export function clockQuestions(others: string): string {
  return `ask clock date +%s.%N
${others}
ask clock-after date +%s.%N`;
}

/** Whether the host's clock and the worker's agree, as far as the way between them lets that be known. Pure. */
export function judgeClock({ facts, sentAt, answeredAt }: Answers): Fault[] {
  const before = secondsOf(facts.text('clock'));
  const after = secondsOf(facts.text('clock-after'));
  if (before === undefined || after === undefined) return [couldNotLook('its clock', '`date +%s.%N` prints no time')];
  const [sent, answered] = [sentAt / 1_000, answeredAt / 1_000];
  // Half of the time that was spent on the way, which one of the two ways may have taken alone.
  const uncertainty = (answered - sent - (after - before)) / 2;
  const ahead = (before + after - sent - answered) / 2;
  if (uncertainty > LARGEST_UNCERTAINTY || uncertainty < -LARGEST_SKEW) {
    const why = `the way there and back took ${seconds(2 * uncertainty)}, too much to compare it`;
    return [couldNotLook('its clock', uncertainty > 0 ? why : 'it was set while it was looked at')];
  }
  if (Math.abs(ahead) - Math.max(uncertainty, 0) <= LARGEST_SKEW) return [];
  const evidence = `its clock is ${seconds(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the worker's`;
  const hint =
    'See on that host whether its time service runs and reaches a server (`timedatectl`, `chronyc tracking`). Where all hosts are told of, it is the clock of the machine with the worker.';
  return [{ code: 'KW649', evidence, hint }];
}

function secondsOf(text: string): number | undefined {
  return /^\d+\.\d+$/.test(text) ? Number(text) : undefined;
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
