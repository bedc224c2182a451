import type { StepsOf } from '../../../step-types.js';
import type { VRRP_ACTIONS } from '../actions.js';
import { proveVirtualIp } from './proveVirtualIp.js';
import { verifyEndpoint } from './verifyEndpoint.js';

export const vrrpSteps: StepsOf<typeof VRRP_ACTIONS> = { proveVirtualIp, verifyEndpoint };
