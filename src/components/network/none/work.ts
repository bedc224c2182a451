import { NOTHING_TO_CHECK, type PodNetworkWork } from '../../work-types.js';

export const work: PodNetworkWork = {
  ...NOTHING_TO_CHECK,
  runsImage: () => false,
  /** Nothing that Kubewright could ask for. */
  question: () => ':',
  read: () => ({ podSubnet: '', settings: {} }),
  trace: () => ':',
  compare: () => ({ found: [], unchecked: [] }),
};
