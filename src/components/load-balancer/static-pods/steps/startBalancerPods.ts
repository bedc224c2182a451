import { hostOf } from '../../../../activities/prepare/target.js';
import type { StepContext } from '../../../../activities/types.js';
import { KubewrightError } from '../../../../errors.js';
import { startingPods } from '../../pods/start.js';
import { HAPROXY_MONITOR_PORT } from '../../vrrp/render/haproxy.js';
import { PODS } from '../places.js';
import { goalOf } from './goal.js';

const ANSWERS = `answers() {
  local status
  exec 3<>/dev/tcp/127.0.0.1/${HAPROXY_MONITOR_PORT} && printf 'GET /backend HTTP/1.0\\r\\n\\r\\n' >&3 || return 1
  read -r -t 2 _ status _ <&3 && [ -n "$status" ]
}
`;

/** HAProxy and keepalived run as static pods of this control plane, with exactly this configuration. */
export const startBalancerPods = startingPods({
  pods: PODS,
  found: {
    well: 'HAProxy and keepalived run as static pods',
    else: 'HAProxy and keepalived do not run as static pods with this configuration',
  },
  goalOf,
  answers: { script: ANSWERS, who: 'HAProxy' },
  failure: didNotComeUp,
});

function didNotComeUp(context: StepContext, cause: KubewrightError): KubewrightError {
  const { name } = hostOf(context);
  return new KubewrightError('KW488', 'HAProxy and keepalived did not come up as static pods', {
    host: name,
    output: cause.output,
    cause,
    hint: `On ${name}, \`crictl ps -a\` and \`crictl logs\` of these two say why. Free ports ${context.cluster.endpoint.port} and ${HAPROXY_MONITOR_PORT} if something else has them; an image of "loadBalancer.images" needs haproxy, or keepalived, sh and nc, on its PATH. Then retry the step.`,
  });
}
