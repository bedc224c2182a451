import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { configureLoadBalancer } from './configureLoadBalancer.js';

export const steps: StepsOf<typeof ACTIONS> = { configureLoadBalancer };
