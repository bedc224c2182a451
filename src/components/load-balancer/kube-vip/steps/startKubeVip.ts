import { hostOf } from '../../../../activities/prepare/target.js';
import type { StepContext } from '../../../../activities/types.js';
import { KubewrightError } from '../../../../errors.js';
import { startingPods } from '../../pods/start.js';
import { KUBECONFIG_PATH, METRICS_PORT, POD } from '../places.js';
import { goalOf } from './goal.js';

/**
 * kube-vip runs as a static pod of this control plane, with exactly this configuration. Who waits for the lease answers as well
 * as who has it, so this is no proof of the virtual IP: another step is.
 */
export const startKubeVip = startingPods({
  pods: [POD],
  found: {
    well: 'kube-vip runs as a static pod',
    else: 'kube-vip does not run as a static pod with this configuration',
  },
  goalOf,
  answers: { script: `answers() { : <>/dev/tcp/127.0.0.1/${METRICS_PORT}; }\n`, who: 'kube-vip' },
  failure: didNotComeUp,
});

function didNotComeUp(context: StepContext, cause: KubewrightError): KubewrightError {
  const { name } = hostOf(context);
  return new KubewrightError('KW454', 'kube-vip did not come up as a static pod', {
    host: name,
    output: cause.output,
    cause,
    hint: `On ${name}, \`crictl ps -a\` and \`crictl logs\` of kube-vip say why. It needs ${KUBECONFIG_PATH} there, and port ${METRICS_PORT} of loopback for its metrics; an image of "loadBalancer.image" has to be kube-vip's own. Then retry the step.`,
  });
}
