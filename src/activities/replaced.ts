import type { ApplicationFailure } from '@temporalio/common';
import { KubewrightError } from '../errors.js';
import type { Hosts } from '../hosts/types.js';
import { OWNER_PATH } from '../render/owner.js';
import { toApplicationFailure } from './failure.js';
import type { StepInput } from './types.js';

/** A failed step is told at the latest after this, whatever hosts do not answer. */
const ASK_LIMIT_MS = 20_000;

/** Failures that say by themselves what they come from, or leave no time to ask: the connection, a limit, the version. */
const EXPLAINED = /^KW(2\d\d|434|510)$/;

/**
 * Looks whether a step failed because a host on which this run has done steps before is a blank one by now. A run never
 * does again what it has done, so such a step would wait for a cluster that nobody makes: then KW540 says so instead,
 * with the way out.
 *
 * @returns the failure to tell: the one given, or KW540 with that one in its output
 */
export async function explained(
  failure: ApplicationFailure,
  input: StepInput,
  hosts: Hosts,
): Promise<ApplicationFailure> {
  // A reset makes hosts blank itself.
  if (EXPLAINED.test(failure.type ?? '') || input.operation === 'reset') return failure;
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ASK_LIMIT_MS);
  });
  try {
    const blank = await Promise.race([firstBlank(input, hosts), timeUp]);
    return blank === undefined ? failure : toApplicationFailure(replaced(blank, input, failure.message));
  } finally {
    clearTimeout(timer);
  }
}

/** The host of what this step builds upon that bears no record of ours any more. One that cannot be asked is none. */
async function firstBlank({ cluster, step }: StepInput, hosts: Hosts): Promise<string | undefined> {
  const names = cluster.hosts.map(({ name }) => name).filter((name) => doneOn(name, step.needs).length > 0);
  const asked = names.map(async (name) =>
    (await hosts.get(name).readFile(OWNER_PATH)) === undefined ? name : undefined,
  );
  const answers = await Promise.allSettled(asked);
  return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined)).find(Boolean);
}

/** Steps that were done on a host behind the one that made it ours. */
function doneOn(host: string, needs: string[]): string[] {
  return needs.filter((id) => id.startsWith(`${host}/`) && id !== `${host}/preflight`);
}

function replaced(host: string, { cluster, step }: StepInput, former: string): KubewrightError {
  const done = doneOn(host, step.needs).join(', ');
  return new KubewrightError(
    'KW540',
    `it is blank now, although this run has done ${done} there: what was done is gone`,
    {
      host,
      step: step.id,
      output: former,
      hint:
        `The host was replaced or cleaned while the install stood, and a run does nothing twice. End it with \`kubewright abort ` +
        `--cluster ${cluster.name}\`, then \`kubewright install cluster.yaml\`: that looks at every host anew.`,
    },
  );
}
