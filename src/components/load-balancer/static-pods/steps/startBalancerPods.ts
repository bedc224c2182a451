import { inTurn } from '../../../../activities/in-turn.js';
import { hostOf } from '../../../../activities/prepare/target.js';
import { digestOf } from '../../../../activities/remote-facts.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { isKubewrightError, KubewrightError } from '../../../../errors.js';
import { endpointOf } from '../../../../render/kubeadm.js';
import { MANIFESTS_DIRECTORY } from '../../../../render/kubeadm-paths.js';
import { layManifest } from '../../../../render/static-pod.js';
import { HAPROXY_MONITOR_PORT } from '../../vrrp/render/haproxy.js';
import { manifestPath, PODS, type PodName } from '../places.js';
import { DIGEST_VARIABLE } from '../render/pods.js';
import { type Goal, goalOf } from './goal.js';

/** Ending an old pod and starting a new one takes some ten seconds; a busy host several times that. */
const START_SECONDS = 180;

/**
 * HAProxy and keepalived run as static pods of this control plane, with exactly this configuration. Where init has handed
 * their manifests to the kubelet this only waits; elsewhere, and after an edit, it hands them over. Asked are the processes
 * themselves: neither the API, which may be away, nor the kubelet, which may be restarting.
 */
export const startBalancerPods: StepImplementation = {
  async probe(context) {
    const changes = changesOf(await look(context));
    const done = changes.length === 0;
    const found = done
      ? `HAProxy and keepalived run as static pods for ${endpointOf(context.cluster)}`
      : 'HAProxy and keepalived do not run as static pods with this configuration';
    return { done, found, changes };
  },

  async apply(context) {
    const goal = await look(context);
    const isLive = PODS.some((pod) => goal.facts.text(`runs:${pod}`) !== '');
    const start = () => bringUp(context, goal);
    // The kubelet ends the old pod before it starts the new one, so no two hosts do it at once.
    await (isLive ? inTurn(context, 'the load balancer is restarted', start) : start());
  },
};

/**
 * Bash: `digests PROGRAM` prints what processes of that name were started with, `answers` succeeds when HAProxy answers at
 * all.
 */
const QUESTIONS = `digests() {
  local file program
  for file in /proc/[0-9]*/cmdline; do
    program=
    { IFS= read -r -d '' program <"$file"; } 2>/dev/null
    [ "\${program##*/}" = "$1" ] || continue
    { tr '\\0' '\\n' <"\${file%/cmdline}/environ" | sed -n 's/^${DIGEST_VARIABLE}=//p'; } 2>/dev/null
  done
  return 0
}
answers() {
  local status
  exec 3<>/dev/tcp/127.0.0.1/${HAPROXY_MONITOR_PORT} && printf 'GET /backend HTTP/1.0\\r\\n\\r\\n' >&3 || return 1
  read -r -t 2 _ status _ <&3 && [ -n "$status" ]
}
`;

function look(context: StepContext): Promise<Goal> {
  const facts = PODS.map(
    (pod) => `fact laid:${pod} digest ${MANIFESTS_DIRECTORY}/${pod}.yaml\nfact runs:${pod} digests ${pod}\n`,
  );
  return goalOf(context, `${QUESTIONS}${facts.join('')}fact answers answers\n`);
}

function changesOf(goal: Goal): string[] {
  const pods = PODS.flatMap((pod) => {
    if (!isLaid(goal, pod)) return [`hand the manifest of ${pod} to the kubelet`];
    return isRunning(goal, pod) ? [] : [`wait until ${pod} runs with its manifest`];
  });
  return pods.length > 0 || goal.facts.holds('answers') ? pods : ['wait until HAProxy answers'];
}

function isLaid({ wanted, facts }: Goal, pod: PodName): boolean {
  return facts.text(`laid:${pod}`) === digestOf(wanted.manifests[pod]);
}

function isRunning({ wanted, facts }: Goal, pod: PodName): boolean {
  return facts.text(`runs:${pod}`).split('\n').includes(wanted.digests[pod]);
}

async function bringUp(context: StepContext, goal: Goal): Promise<void> {
  try {
    await context.durable('start', startScript(goal), { timeoutSeconds: START_SECONDS + 60 });
  } catch (error) {
    // Only the command's own failure is explained; a lost connection or host stays what it is.
    if (!isKubewrightError(error) || error.code !== 'KW431') throw error;
    throw didNotComeUp(context, error);
  }
}

/** Names the digests, so that the end of an earlier command for another configuration is not taken for this one's. */
function startScript(goal: Goal): string {
  const { digests } = goal.wanted;
  const laid = PODS.filter((pod) => !isLaid(goal, pod)).map((pod) => layManifest(manifestPath(pod)));
  const runs = PODS.map((pod) => `digests ${pod} | grep -x ${digests[pod]} >/dev/null`);
  return `${QUESTIONS}${laid.join('')}up() { ${runs.join(' && ')} && (answers) 2>/dev/null; }
deadline=$((SECONDS + ${START_SECONDS}))
until up; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    for pod in ${PODS.join(' ')}; do
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

function didNotComeUp(context: StepContext, cause: KubewrightError): KubewrightError {
  const { name } = hostOf(context);
  return new KubewrightError('KW488', 'HAProxy and keepalived did not come up as static pods', {
    host: name,
    output: cause.output,
    cause,
    hint: `On ${name}, \`crictl ps -a\` and \`crictl logs\` of these two say why. Free ports ${context.cluster.endpoint.port} and ${HAPROXY_MONITOR_PORT} if something else has them; an image of "loadBalancer.images" needs haproxy, or keepalived, sh and nc, on its PATH. Then retry the step.`,
  });
}
