import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { configureLoadBalancer } from './configureLoadBalancer.js';
import { proveVirtualIp } from './proveVirtualIp.js';
import { verifyEndpoint } from './verifyEndpoint.js';

export const steps: StepsOf<typeof ACTIONS> = { configureLoadBalancer, proveVirtualIp, verifyEndpoint };
