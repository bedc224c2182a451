import type { StepsOf } from '../../step-types.js';
import type { IMAGE_ACTIONS } from './actions.js';
import { importCheckImages } from './importCheckImages.js';
import { importImages } from './importImages.js';

export const imageSteps: StepsOf<typeof IMAGE_ACTIONS> = { importImages, importCheckImages };
