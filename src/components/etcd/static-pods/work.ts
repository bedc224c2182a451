import { type EtcdWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { refuseFormerData } from './former-data.js';

export const work: EtcdWork = { ...NOTHING_TO_CHECK, refuseFormerData };
