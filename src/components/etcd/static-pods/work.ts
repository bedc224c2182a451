import { type EtcdWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { refuseFormerData } from '../external/former-data.js';
import { lookAtEtcd } from '../members/verifyEtcdCluster.js';

export const work: EtcdWork = { ...NOTHING_TO_CHECK, look: lookAtEtcd, refuseFormerData };
