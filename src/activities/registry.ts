import type { Action } from '../plan/types.js';
import { compareApplied } from './applied/compareApplied.js';
import { createEtcdAuthority } from './etcd/createEtcdAuthority.js';
import { deliverEtcdCertificates } from './etcd/deliverEtcdCertificates.js';
import { deliverEtcdClient } from './etcd/deliverEtcdClient.js';
import { startEtcdMember } from './etcd/startEtcdMember.js';
import { verifyEtcdCluster } from './etcd/verifyEtcdCluster.js';
import { initControlPlane } from './kubeadm/initControlPlane.js';
import { joinControlPlane } from './kubeadm/joinControlPlane.js';
import { joinWorker } from './kubeadm/joinWorker.js';
import { configureLoadBalancer } from './load-balancer/configureLoadBalancer.js';
import { proveVirtualIp } from './load-balancer/proveVirtualIp.js';
import { applyNetwork } from './network/applyNetwork.js';
import { checkCluster } from './prepare/checkCluster.js';
import { checkHost } from './prepare/checkHost.js';
import { configureRuntime } from './prepare/configureRuntime.js';
import { importCheckImages } from './prepare/importCheckImages.js';
import { importImages } from './prepare/importImages.js';
import { installBinaries } from './prepare/installBinaries.js';
import { installPackages } from './prepare/installPackages.js';
import { prepareSystem } from './prepare/prepareSystem.js';
import type { StepImplementation } from './types.js';
import { spreadDns } from './verify/spreadDns.js';
import { verifyDns } from './verify/verifyDns.js';
import { verifyEndpoint } from './verify/verifyEndpoint.js';
import { verifyNodes } from './verify/verifyNodes.js';

/** How each action of a plan is carried out. The compiler holds it complete. */
export const implementations: Record<Action, StepImplementation> = {
  checkHost,
  checkCluster,
  compareApplied,
  prepareSystem,
  installPackages,
  installBinaries,
  configureRuntime,
  importImages,
  configureLoadBalancer,
  proveVirtualIp,
  createEtcdAuthority,
  deliverEtcdCertificates,
  startEtcdMember,
  verifyEtcdCluster,
  deliverEtcdClient,
  initControlPlane,
  joinControlPlane,
  joinWorker,
  applyNetwork,
  importCheckImages,
  verifyNodes,
  verifyEndpoint,
  spreadDns,
  verifyDns,
};
