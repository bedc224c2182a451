import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { verifyExternalEndpoint } from './verifyExternalEndpoint.js';

export const steps: StepsOf<typeof ACTIONS> = { verifyExternalEndpoint };
