import { componentSteps } from '../components/registry/steps.js';
import type { Action } from '../plan/types.js';
import { compareApplied } from './applied/compareApplied.js';
import { recordApplied } from './applied/record/recordApplied.js';
import { LOOKS } from './check/looks.js';
import { deliverFiles } from './control-plane-files/deliverFiles.js';
import { awaitHealth } from './drill/awaitHealth.js';
import { breakPart } from './drill/breakPart.js';
import { checkDrill } from './drill/checkDrill.js';
import { endProbes } from './drill/endProbes.js';
import { putBack } from './drill/putBack.js';
import { reportDrill } from './drill/reportDrill.js';
import { startProbes } from './drill/startProbes.js';
import { watchBreak } from './drill/watchBreak.js';
import { deliverEncryptionKey } from './encryption-at-rest/deliverEncryptionKey.js';
import { checkKeyRotation } from './key-rotation/checkKeyRotation.js';
import { addEncryptionKey, promoteEncryptionKey, removeEncryptionKey } from './key-rotation/keyStep.js';
import { rewriteSecrets } from './key-rotation/rewriteSecrets.js';
import { initControlPlane } from './kubeadm/initControlPlane.js';
import { joinControlPlane } from './kubeadm/joinControlPlane.js';
import { joinWorker } from './kubeadm/joinWorker.js';
import { releaseHosts } from './lease/releaseHosts.js';
import { checkCluster } from './prepare/checkCluster.js';
import { checkHost } from './prepare/checkHost.js';
import { installPackages } from './prepare/installPackages.js';
import { prepareSystem } from './prepare/prepareSystem.js';
import { backUpCluster } from './reset/backup/backUpCluster.js';
import { checkReset } from './reset/checkReset.js';
import { compareHost } from './reset/compareHost.js';
import { drainNode } from './reset/drainNode.js';
import { forgetHost } from './reset/forgetHost.js';
import { recordReset } from './reset/recordReset.js';
import { removeEtcdMember } from './reset/removeEtcdMember.js';
import { removeNode } from './reset/removeNode.js';
import { resetHost } from './reset/resetHost.js';
import { uncordonNode } from './reset/uncordonNode.js';
import { approveServingCertificate } from './serving-certificates/approveServingCertificate.js';
import type { StepImplementation } from './types.js';
import { spreadDns } from './verify/spreadDns.js';
import { verifyDns } from './verify/verifyDns.js';
import { verifyNodes } from './verify/verifyNodes.js';

/** How each action of a plan is carried out. The compiler holds it complete. */
export const implementations: Record<Action, StepImplementation> = {
  checkHost,
  checkCluster,
  compareApplied,
  prepareSystem,
  installPackages,
  deliverFiles,
  deliverEncryptionKey,
  initControlPlane,
  joinControlPlane,
  joinWorker,
  approveServingCertificate,
  verifyNodes,
  spreadDns,
  verifyDns,
  recordApplied,
  releaseHosts,
  ...componentSteps,
  checkKeyRotation,
  addEncryptionKey,
  promoteEncryptionKey,
  rewriteSecrets,
  removeEncryptionKey,
  checkReset,
  backUpCluster,
  drainNode,
  removeEtcdMember,
  resetHost,
  compareHost,
  forgetHost,
  removeNode,
  uncordonNode,
  recordReset,
  ...LOOKS,
  checkDrill,
  startProbes,
  breakPart,
  watchBreak,
  putBack,
  awaitHealth,
  reportDrill,
  endProbes,
};
