import { holdsMember } from '../../registry/plan.js';
import { type EtcdWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { refuseFormerData } from '../external/former-data.js';
import { lookAtEtcd } from '../members/verifyEtcdCluster.js';

export const work: EtcdWork = {
  ...NOTHING_TO_CHECK,
  bundled: (cluster, role) => (holdsMember(cluster, role) ? ['bin/etcd'] : []),
  look: lookAtEtcd,
  refuseFormerData,
};
