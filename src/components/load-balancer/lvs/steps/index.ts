import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { configureDirector } from './configureDirector.js';
import { configureRealServer } from './configureRealServer.js';
import { proveDirectors } from './proveDirectors.js';
import { verifyDirectors } from './verifyDirectors.js';

export const steps: StepsOf<typeof ACTIONS> = {
  configureDirector,
  configureRealServer,
  proveDirectors,
  verifyDirectors,
};
