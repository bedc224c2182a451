import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { bringEtcdTools } from './bringEtcdTools.js';
import { installKubernetesPackages } from './installKubernetesPackages.js';

export const steps: StepsOf<typeof ACTIONS> = { installKubernetesPackages, bringEtcdTools };
