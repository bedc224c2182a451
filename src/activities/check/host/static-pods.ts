import { etcdOf, holdsMember } from '../../../components/registry/plan.js';
import { CONTROL_PLANE_COMPONENTS, staticPodFacts, staticPodFault } from '../../kubeadm/node/static-pods.js';
import type { Facts } from '../../remote-facts.js';
import { type Concern, couldNotLook, type Fault, type LookedAt } from './concern.js';

const HINT =
  '`crictl ps -a`, `crictl logs` and `journalctl -u kubelet` on that host say why. A manifest that is missing comes back from a backup, or by the `kubeadm init phase` of its name.';

/** Each static pod of the host has its manifest, and a process with just that command. Asked is the kernel, not the kubelet. */
export const staticPods: Concern = {
  questions(at) {
    const pods = podsOf(at);
    return pods.length === 0 ? '' : staticPodFacts(pods, ' &');
  },

  judge(at, { facts }) {
    return podsOf(at).flatMap((pod) => faultOf(facts, pod));
  },
};

function faultOf(facts: Facts, pod: string): Fault[] {
  if (!facts.isAsked(`manifest:${pod}`)) return [couldNotLook(`the manifest of ${pod}`, '`cat` did not end')];
  if (facts.answer(`process:${pod}`, '').is !== 'yes')
    return [couldNotLook(`whether ${pod} runs`, '`cat /proc/*/cmdline` did not end')];
  // A manifest that cannot be read is none, by these facts.
  const evidence = staticPodFault(facts, pod);
  return evidence === undefined ? [] : [{ code: 'KW651', evidence, hint: HINT }];
}

function podsOf({ cluster, host: { role } }: LookedAt): string[] {
  const etcd = holdsMember(cluster, role) && etcdOf(cluster).inPods ? ['etcd'] : [];
  return role === 'control-plane' ? [...CONTROL_PLANE_COMPONENTS, ...etcd] : etcd;
}
