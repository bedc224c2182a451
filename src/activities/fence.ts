import { KubewrightError } from '../errors.js';
import { quote } from '../hosts/shell.js';
import type { RemoteHost } from '../hosts/types.js';
import type { StepContext } from './types.js';

/** On each host; below /run, so that no fence outlives a reboot. */
const FENCE_PATH = '/run/kubewright/fence';

/** Exit code of a script that found another attempt's fence. Not one of kubeadm's, systemd's or the shell's. */
export const FENCED = 93;

/**
 * Takes the step's host for this attempt of the step. Whatever destroys something there asks for the fence in the same
 * script, so an earlier attempt, whose worker was asleep or cut off meanwhile, can no longer do harm when it wakes up.
 *
 * To be called before the host is looked at: what is decided afterwards was seen by whoever holds the fence.
 */
export async function takeFence(context: StepContext, host: RemoteHost = context.host): Promise<void> {
  const script = `set -e
mkdir -p -m 0700 "$(dirname ${FENCE_PATH})"
new=$(mktemp ${FENCE_PATH}.XXXXXX)
printf %s ${quote(context.fence)} >"$new"
mv -f "$new" ${FENCE_PATH}
`;
  await host.run(script, { signal: context.signal });
}

/**
 * Bash that names this attempt to the scripts that ask for the fence: the `guard` of a durable command, so that the
 * script itself is the same for every attempt.
 */
export function namedFence(context: Pick<StepContext, 'fence'>): string {
  return `kubewright_fence=${quote(context.fence)}\n`;
}

/** Bash, for the host that was taken: ends the script unless the attempt that `namedFence` names still holds the fence. */
export const FENCE_GUARD = `if [ "$(cat ${FENCE_PATH} 2>/dev/null)" != "$kubewright_fence" ]; then
  echo 'kubewright: another attempt of this step has taken over, or the host was rebooted'
  exit ${FENCED}
fi
`;

/**
 * For what is destroyed from another host: that one cannot look at the fence in the same script, so what is destroyed
 * there is named by an identity (a UID, a member's id) that a successor of it does not have.
 *
 * @throws KubewrightError KW439 (transient) when another attempt has taken the host
 */
export async function requireFence(context: StepContext): Promise<void> {
  const script = `${namedFence(context)}${FENCE_GUARD}`;
  const { exitCode } = await context.host.run(script, { signal: context.signal, allowFailure: true });
  if (exitCode !== 0) throw fenced(context.host.name);
}

export function fenced(host: string): KubewrightError {
  return new KubewrightError('KW439', 'another attempt of this step has taken over, or the host was rebooted', {
    host,
    transient: true,
    hint: 'Nothing was changed by this attempt. The step goes on by itself.',
  });
}
