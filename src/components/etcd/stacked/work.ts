import { type EtcdWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { lookAtEtcd } from '../members/verifyEtcdCluster.js';

/** Data of a former cluster would be on the host itself, which is no blank one then. */
export const work: EtcdWork = { ...NOTHING_TO_CHECK, look: lookAtEtcd, refuseFormerData: async () => {} };
