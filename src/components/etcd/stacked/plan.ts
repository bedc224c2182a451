import type { Etcd } from '../../types.js';
import { ETCD_DATA_DIRECTORY } from '../members/places.js';
import { membersOn } from '../members/plan.js';

/** A member on every control plane, which kubeadm makes with it: there is nothing to be done before. */
export const stacked: Etcd = {
  ...membersOn('control-plane'),
  kubeadmConfiguration: ({ etcd }) => ({ local: { dataDir: ETCD_DATA_DIRECTORY, extraArgs: etcd.extraArgs } }),
  install: () => ({ steps: [], neededBy: () => [], neededByInit: [] }),
  renews: null,
};
