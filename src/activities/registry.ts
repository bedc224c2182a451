import { importCheckImages } from '../components/artifacts/bundle/steps/importCheckImages.js';
import { importImages } from '../components/artifacts/bundle/steps/importImages.js';
import { installBinaries } from '../components/artifacts/bundle/steps/installBinaries.js';
import { verifyEtcdCluster } from '../components/etcd/members/verifyEtcdCluster.js';
import { createEtcdAuthority } from '../components/etcd/static-pods/steps/createEtcdAuthority.js';
import { deliverEtcdCertificates } from '../components/etcd/static-pods/steps/deliverEtcdCertificates.js';
import { deliverEtcdClient } from '../components/etcd/static-pods/steps/deliverEtcdClient.js';
import { startEtcdMember } from '../components/etcd/static-pods/steps/startEtcdMember.js';
import { configureLoadBalancer } from '../components/load-balancer/haproxy-keepalived/steps/configureLoadBalancer.js';
import { proveVirtualIp } from '../components/load-balancer/haproxy-keepalived/steps/proveVirtualIp.js';
import { verifyEndpoint } from '../components/load-balancer/haproxy-keepalived/steps/verifyEndpoint.js';
import { applyNetwork } from '../components/network/flannel/steps/applyNetwork.js';
import { configureRuntime } from '../components/runtime/containerd/steps/configureRuntime.js';
import type { Action } from '../plan/types.js';
import { compareApplied } from './applied/compareApplied.js';
import { recordApplied } from './applied/record/recordApplied.js';
import { initControlPlane } from './kubeadm/initControlPlane.js';
import { joinControlPlane } from './kubeadm/joinControlPlane.js';
import { joinWorker } from './kubeadm/joinWorker.js';
import { checkCluster } from './prepare/checkCluster.js';
import { checkHost } from './prepare/checkHost.js';
import { installPackages } from './prepare/installPackages.js';
import { prepareSystem } from './prepare/prepareSystem.js';
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
  recordApplied,
};
