import { ours } from '../../leftovers.js';
import type { Etcd } from '../../types.js';
import { externalOn } from '../external/plan.js';
import { ETCD_KUBELET_DROP_IN_PATH } from '../members/places.js';

const members = externalOn('etcd', { action: 'startEtcdMember', needs: ['binaries', 'images'] });

/** Members on hosts of their own, each a static pod of a kubelet that does nothing else. */
export const staticPods: Etcd = {
  ...members,
  leaves: [...members.leaves, ...ours([ETCD_KUBELET_DROP_IN_PATH])],
  renews: /\/pki\/(etcd\/|apiserver-etcd-client)/,
};
