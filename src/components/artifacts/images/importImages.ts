import { hostOf } from '../../../activities/prepare/target.js';
import { imageQuery } from '../../registry/work.js';
import { importStep } from './import-step.js';

/** Imports what a host of its role needs to come up, and nothing else: init waits for its own host's images only. */
export const importImages = importStep((artifacts, context) =>
  artifacts.images(hostOf(context).role, imageQuery(context.cluster)),
);
