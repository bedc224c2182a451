import { BUILD } from '../build.js';
import type { RunSnapshot } from '../engine/types.js';

/** What a run that fails at its workers' code needs. */
export const TASK_HINT = 'It goes on with a worker of the version and with the payload key that it was started with.';

/** A failing workflow task for people: a worker runs, and starting another one of the same kind would not help. */
export function taskFailureSentence(cause: string): string {
  return `A worker runs, but fails at this install: ${cause}\n${TASK_HINT}`;
}

/** What a person should know of a run besides its steps: another build, workers that fail at it, or that none answers. Pure. */
export function runNotes({ build, taskFailure, status, source, pinnedTo }: RunSnapshot): string[] {
  const notes: string[] = [];
  if (build !== undefined && build !== BUILD) notes.push(`Planned by kubewright ${build}; this is ${BUILD}.`);
  if (taskFailure !== undefined) notes.push(taskFailureSentence(taskFailure));
  else if (status === 'running' && source === 'history') {
    const whose = pinnedTo === undefined ? '' : ` of kubewright ${pinnedTo}`;
    notes.push(
      `No worker${whose} answers in time: none runs, or it has too much to do. \`kubewright install cluster.yaml\` brings one where none runs.`,
    );
  }
  return notes;
}
