import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { applyNetwork } from './applyNetwork.js';

export const steps: StepsOf<typeof ACTIONS> = { applyNetwork };
