import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { applyCilium } from './applyCilium.js';

export const steps: StepsOf<typeof ACTIONS> = { applyCilium };
