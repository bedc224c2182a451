import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { configureRuntime } from './configureRuntime.js';

export const steps: StepsOf<typeof ACTIONS> = { configureRuntime };
