import type { StepsOf } from '../../step-types.js';
import type { MEMBER_ACTIONS } from './actions.js';
import { verifyEtcdCluster } from './verifyEtcdCluster.js';

export const memberSteps: StepsOf<typeof MEMBER_ACTIONS> = { verifyEtcdCluster };
