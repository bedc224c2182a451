import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { installBinaries } from './installBinaries.js';

export const steps: StepsOf<typeof ACTIONS> = { installBinaries };
