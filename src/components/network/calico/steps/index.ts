import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { applyCalico } from './applyCalico.js';

export const steps: StepsOf<typeof ACTIONS> = { applyCalico };
