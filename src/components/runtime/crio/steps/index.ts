import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { configureCrio } from './configureCrio.js';

export const steps: StepsOf<typeof ACTIONS> = { configureCrio };
