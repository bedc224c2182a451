import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { proveKubeVip, verifyKubeVip } from './endpoint.js';
import { startKubeVip } from './startKubeVip.js';
import { writeKubeVip } from './writeKubeVip.js';

export const steps: StepsOf<typeof ACTIONS> = { writeKubeVip, startKubeVip, proveKubeVip, verifyKubeVip };
