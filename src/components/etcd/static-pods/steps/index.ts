import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { startEtcdMember } from './startEtcdMember.js';

export const steps: StepsOf<typeof ACTIONS> = { startEtcdMember };
