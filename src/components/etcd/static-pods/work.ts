import { type EtcdWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { etcdFaults } from '../members/verifyEtcdCluster.js';
import { refuseFormerData } from './former-data.js';

export const work: EtcdWork = { ...NOTHING_TO_CHECK, faults: etcdFaults, refuseFormerData };
