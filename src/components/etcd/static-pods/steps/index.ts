import type { StepsOf } from '../../../step-types.js';
import type { ACTIONS } from '../actions.js';
import { createEtcdAuthority } from './createEtcdAuthority.js';
import { deliverEtcdCertificates } from './deliverEtcdCertificates.js';
import { deliverEtcdClient } from './deliverEtcdClient.js';
import { startEtcdMember } from './startEtcdMember.js';

export const steps: StepsOf<typeof ACTIONS> = {
  createEtcdAuthority,
  deliverEtcdCertificates,
  startEtcdMember,
  deliverEtcdClient,
};
