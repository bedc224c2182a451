import type { StepContext } from '../../activities/types.js';
import { isKubewrightError, KubewrightError } from '../../errors.js';
import { loadedConfigPath } from '../../render/loaded-config.js';

/** How long a runtime may take to answer after a start: with many containers and a slow disk it takes minutes. */
const START_SECONDS = 540;

/** One that ended so often since it was started has something against its configuration. */
const MOST_RESTARTS = 3;

/** A runtime as it is started. */
export interface Starting {
  /** Name of the unit, and of the program: `containerd`. */
  service: string;
  /** Bash condition: it answers, and its CRI works. */
  answers: string;
}

/**
 * Starts a runtime, or restarts one that was started with something else, and waits until it answers.
 *
 * @param digest what its drop-in records when it has been started with what is there
 * @throws KubewrightError KW448 with its last lines
 */
export async function startRuntime(context: StepContext, starting: Starting, digest: string): Promise<void> {
  const { service } = starting;
  try {
    await context.durable(service, startScript(starting, digest), { timeoutSeconds: START_SECONDS + 20 });
  } catch (error) {
    // Only the command's own failure is explained; a lost connection or host stays what it is.
    if (!isKubewrightError(error) || error.code !== 'KW431') throw error;
    throw new KubewrightError('KW448', `${service} does not run with its new configuration`, {
      host: context.host.name,
      output: error.output,
      hint: `Its last lines say why. Check "runtime.config" in cluster.yaml and \`systemctl status ${service}\`, then retry the step.`,
      cause: error,
    });
  }
}

/**
 * Restarts only what does not run or has not read the configuration that is there: pods outlive a restart, but nothing is
 * for free, and one that is on its way up would begin anew. Names the configuration, so that the end of an earlier
 * command that loaded another one is not taken for this one's.
 */
export function startScript({ service, answers }: Starting, digest: string): string {
  return `cri() { ${answers}; }
loaded() { [ "$(cut -c 1-64 ${loadedConfigPath(service)} 2>/dev/null)" = ${digest} ]; }
of_unit() { systemctl show -p "$1" --value ${service}.service; }
began=$(date +%s) said=0
systemctl daemon-reload
systemctl enable --quiet ${service}.service
state=$(of_unit ActiveState)
case $state in
  active | activating | reloading) loaded || systemctl restart --no-block ${service}.service ;;
  inactive | failed | deactivating) systemctl restart --no-block ${service}.service ;;
  *) echo "systemd does not say whether ${service} runs ("$state")"; exit 1 ;;
esac
# systemd counts on, or from nothing, after a restart by hand.
first=$(of_unit NRestarts)
until loaded && cri 2>/dev/null; do
  restarts=$(of_unit NRestarts)
  [ "$restarts" -ge "$first" ] || first=$restarts
  if [ "$(of_unit ActiveState)" = failed ] || [ $((restarts - first)) -ge ${MOST_RESTARTS} ] || [ "$SECONDS" -ge ${START_SECONDS} ]; then
    journalctl --unit ${service}.service --since "@$began" --no-pager --output cat | tail -n 20
    exit 1
  fi
  if [ $((SECONDS / 15)) -gt $said ]; then
    said=$((SECONDS / 15))
    echo "waiting for ${service}, which has not answered for $SECONDS s"
  fi
  sleep 0.2
done
`;
}
