import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { applyManifests } from './applyManifests.js';

export const steps: StepsOf<typeof ACTIONS> = { applyManifests };
