import { inTurn } from '../../../activities/in-turn.js';
import { digestOf } from '../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../activities/types.js';
import { isKubewrightError, type KubewrightError } from '../../../errors.js';
import { endpointOf } from '../../../render/kubeadm.js';
import { MANIFESTS_DIRECTORY } from '../../../render/kubeadm-paths.js';
import { layManifest } from '../../../render/static-pod.js';
import { DIGEST_VARIABLE } from './digest.js';
import type { AskForGoal, PodGoal } from './goal.js';
import { manifestPath } from './places.js';

/** Ending an old pod and starting a new one takes some ten seconds; a busy host several times that. */
const START_SECONDS = 180;

export interface StartingPods<Pod extends string> {
  /** Each is named as its program is. */
  pods: readonly Pod[];
  /** What is so when all is well, as the beginning of "… for 10.88.0.100:8443", and what is said when it is not. */
  found: { well: string; else: string };
  goalOf: AskForGoal<Pod>;
  /** Bash: function `answers`, which succeeds when the pods' program answers at all, and who that is. */
  answers: { script: string; who: string };
  /** For pods that did not come up. */
  failure(context: StepContext, cause: KubewrightError): KubewrightError;
}

/**
 * The pods run as static pods of this control plane, with exactly this configuration. Where init has handed their
 * manifests to the kubelet this only waits; elsewhere, and after an edit, it hands them over. Asked are the processes
 * themselves: neither the API, which may be away, nor the kubelet, which may be restarting.
 */
export function startingPods<Pod extends string>(starting: StartingPods<Pod>): StepImplementation {
  return {
    async probe(context) {
      const changes = changesOf(starting, await look(starting, context));
      const done = changes.length === 0;
      const { well, else: otherwise } = starting.found;
      return { done, found: done ? `${well} for ${endpointOf(context.cluster)}` : otherwise, changes };
    },

    async apply(context) {
      const goal = await look(starting, context);
      const isLive = starting.pods.some((pod) => goal.facts.text(`runs:${pod}`) !== '');
      const start = () => bringUp(starting, context, goal);
      // The kubelet ends the old pod before it starts the new one, so no two hosts do it at once.
      await (isLive ? inTurn(context, 'the load balancer is restarted', start) : start());
    },
  };
}

/** Bash: `digests PROGRAM` prints what processes of that name were started with. */
const DIGESTS = `digests() {
  local file program
  for file in /proc/[0-9]*/cmdline; do
    program=
    { IFS= read -r -d '' program <"$file"; } 2>/dev/null
    [ "\${program##*/}" = "$1" ] || continue
    { tr '\\0' '\\n' <"\${file%/cmdline}/environ" | sed -n 's/^${DIGEST_VARIABLE}=//p'; } 2>/dev/null
  done
  return 0
}
`;

function look<Pod extends string>(
  { pods, goalOf, answers }: StartingPods<Pod>,
  context: StepContext,
): Promise<PodGoal<Pod>> {
  const facts = pods.map(
    (pod) => `fact laid:${pod} digest ${MANIFESTS_DIRECTORY}/${pod}.yaml\nfact runs:${pod} digests ${pod}\n`,
  );
  return goalOf(context, `${DIGESTS}${answers.script}${facts.join('')}fact answers answers\n`);
}

function changesOf<Pod extends string>({ pods, answers }: StartingPods<Pod>, goal: PodGoal<Pod>): string[] {
  const waiting = pods.flatMap((pod) => {
    if (!isLaid(goal, pod)) return [`hand the manifest of ${pod} to the kubelet`];
    return isRunning(goal, pod) ? [] : [`wait until ${pod} runs with its manifest`];
  });
  return waiting.length > 0 || goal.facts.holds('answers') ? waiting : [`wait until ${answers.who} answers`];
}

function isLaid<Pod extends string>({ wanted, facts }: PodGoal<Pod>, pod: Pod): boolean {
  return facts.text(`laid:${pod}`) === digestOf(wanted.manifests[pod]);
}

function isRunning<Pod extends string>({ wanted, facts }: PodGoal<Pod>, pod: Pod): boolean {
  return facts.text(`runs:${pod}`).split('\n').includes(wanted.digests[pod]);
}

async function bringUp<Pod extends string>(
  starting: StartingPods<Pod>,
  context: StepContext,
  goal: PodGoal<Pod>,
): Promise<void> {
  try {
    await context.durable('start', startScript(starting, goal), { timeoutSeconds: START_SECONDS + 60 });
  } catch (error) {
    // Only the command's own failure is explained; a lost connection or host stays what it is.
    if (!isKubewrightError(error) || error.code !== 'KW431') throw error;
    throw starting.failure(context, error);
  }
}

/** Names the digests, so that the end of an earlier command for another configuration is not taken for this one's. */
function startScript<Pod extends string>({ pods, answers }: StartingPods<Pod>, goal: PodGoal<Pod>): string {
  const { digests } = goal.wanted;
  const laid = pods.filter((pod) => !isLaid(goal, pod)).map((pod) => layManifest(manifestPath(pod)));
  const runs = pods.map((pod) => `digests ${pod} | grep -x ${digests[pod]} >/dev/null`);
  return `${DIGESTS}${answers.script}${laid.join('')}up() { ${runs.join(' && ')} && (answers) 2>/dev/null; }
deadline=$((SECONDS + ${START_SECONDS}))
until up; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    for pod in ${pods.join(' ')}; do
      crictl ps -a --name "^$pod$" || true
      for container in $(crictl ps -aq --name "^$pod$" | head -n 1); do crictl logs --tail=15 "$container" 2>&1 || true; done
    done
    journalctl --no-pager --quiet --output=cat --unit=kubelet | grep '^[EF][0-9]' | tail -n 10 || true
    exit 1
  fi
  sleep 0.5
done
`;
}
