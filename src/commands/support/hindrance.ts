import type { RunSnapshot } from '../../engine/index.js';
import { KubewrightError } from '../../errors.js';
import { TASK_HINT, taskFailureSentence } from '../../terminal/run-notes.js';
import { duration } from '../../terminal/text.js';

/** A worker that starts, or comes back, answers within seconds; what is shorter is not worth a word. */
const WORTH_A_WORD_MS = { server: 0, worker: 10_000, task: 0 } as const;

type Kind = keyof typeof WORTH_A_WORD_MS;

interface Present {
  kind: Kind;
  cause: string;
  since: number;
  said: string | undefined;
}

/**
 * What keeps a whole run from going on, as against a step of it: Temporal does not answer, no worker answers, or the
 * workers fail at the run. Each is told once, and told apart: who is told to start a worker that runs already will not
 * find the cause.
 */
export class Hindrance {
  private present: Present | undefined;

  /** @param say tells a person */
  constructor(
    private readonly cluster: string,
    private readonly say: (text: string) => void,
  ) {}

  /** Takes in a look at the run. @param now milliseconds since the epoch */
  seen({ status, source, taskFailure }: RunSnapshot, now: number): void {
    if (status === 'running' && taskFailure !== undefined) this.is('task', taskFailure, now);
    else if (status === 'running' && source === 'history') this.is('worker', '', now);
    else this.gone();
  }

  /** Takes in that the server has not answered. */
  unanswered(now: number): void {
    this.is('server', '', now);
  }

  /** Since when nothing has gone on, as an error; undefined while it has not lasted for so long. */
  after(patienceMs: number, now: number): KubewrightError | undefined {
    if (this.present === undefined || now - this.present.since < patienceMs) return undefined;
    const { kind, cause, since } = this.present;
    const lasted = duration(now - since);
    const cluster = this.cluster;
    const words = {
      server: [
        'KW534',
        `Temporal has not answered for ${lasted}`,
        'Look at the server and its log. The install waits where it stands.',
      ],
      worker: [
        'KW535',
        `No worker has answered for ${lasted}`,
        '`kubewright install cluster.yaml` brings one, or has it carried out by the workers that it was started for.',
      ],
      task: [
        'KW536',
        `The workers fail at the install of ${cluster} again and again: ${cause}`,
        `${TASK_HINT} If there is no such worker any more: \`kubewright abort --force --cluster ${cluster}\`, then install again.`,
      ],
    } as const;
    const [code, message, hint] = words[kind];
    return new KubewrightError(code, message, { hint });
  }

  private is(kind: Kind, cause: string, now: number): void {
    const since = this.present?.kind === kind ? this.present.since : now;
    this.present = { kind, cause, since, said: this.present?.said };
    if (now - since < WORTH_A_WORD_MS[kind]) return;
    const text = sentenceOf(kind, cause);
    if (this.present.said === text) return;
    this.present.said = text;
    this.say(text);
  }

  private gone(): void {
    if (this.present?.kind === 'server' && this.present.said !== undefined) this.say('Temporal answers again.');
    this.present = undefined;
  }
}

function sentenceOf(kind: Kind, cause: string): string {
  if (kind === 'server') return 'Temporal does not answer; trying again …';
  if (kind === 'worker') return 'No worker answers; the install waits until one runs.';
  return taskFailureSentence(cause);
}
