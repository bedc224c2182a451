import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { startEtcdService } from './startEtcdService.js';

export const steps: StepsOf<typeof ACTIONS> = { startEtcdService };
