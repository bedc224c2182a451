import { etcdOf, holdsMember } from '../../../components/registry/plan.js';
import { CONTROL_PLANE_COMPONENTS, staticPodFacts, staticPodFault } from '../../kubeadm/node/static-pods.js';
import type { Concern, LookedAt } from './concern.js';

const HINT =
  '`crictl ps -a`, `crictl logs` and `journalctl -u kubelet` on that host say why. A manifest that is missing comes back from a backup, or by the `kubeadm init phase` of its name.';

/** Each static pod of the host has its manifest, and a process with just that command. Asked is the kernel, not the kubelet. */
export const staticPods: Concern = {
  questions(at) {
    const pods = podsOf(at);
    return pods.length === 0 ? '' : staticPodFacts(pods);
  },

  judge(at, { facts }) {
    // What cannot be read has no manifest, or does not run, by these facts: it is told, whichever it is.
    return podsOf(at).flatMap((pod) => {
      const evidence = staticPodFault(facts, pod);
      return evidence === undefined ? [] : [{ code: 'KW651', evidence, hint: HINT }];
    });
  },
};

function podsOf({ cluster, host: { role } }: LookedAt): string[] {
  const etcd = holdsMember(cluster, role) && etcdOf(cluster).inPods ? ['etcd'] : [];
  return role === 'control-plane' ? [...CONTROL_PLANE_COMPONENTS, ...etcd] : etcd;
}
