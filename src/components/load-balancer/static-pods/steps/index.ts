import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { startBalancerPods } from './startBalancerPods.js';
import { writeBalancerPods } from './writeBalancerPods.js';

export const steps: StepsOf<typeof ACTIONS> = { writeBalancerPods, startBalancerPods };
