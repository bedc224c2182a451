import type { StepsOf } from '../../../step-types.js';
import type { EXTERNAL_ACTIONS } from '../actions.js';
import { createEtcdAuthority } from './createEtcdAuthority.js';
import { deliverEtcdCertificates } from './deliverEtcdCertificates.js';
import { deliverEtcdClient } from './deliverEtcdClient.js';

export const externalSteps: StepsOf<typeof EXTERNAL_ACTIONS> = {
  createEtcdAuthority,
  deliverEtcdCertificates,
  deliverEtcdClient,
};
