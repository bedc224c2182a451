import type { StepImplementation } from '../../activities/types.js';
import { steps as bundle } from '../artifacts/bundle/steps/index.js';
import { imageSteps } from '../artifacts/images/steps.js';
import { steps as repository } from '../artifacts/repository/steps/index.js';
import { externalSteps } from '../etcd/external/steps/index.js';
import { memberSteps } from '../etcd/members/steps.js';
import { steps as staticPods } from '../etcd/static-pods/steps/index.js';
import { steps as etcdBySystemd } from '../etcd/systemd/steps/index.js';
import { steps as external } from '../load-balancer/external/steps/index.js';
import { steps as haproxyKeepalived } from '../load-balancer/haproxy-keepalived/steps/index.js';
import { steps as kubeVip } from '../load-balancer/kube-vip/steps/index.js';
import { steps as lvs } from '../load-balancer/lvs/steps/index.js';
import { steps as staticPodBalancer } from '../load-balancer/static-pods/steps/index.js';
import { vrrpSteps } from '../load-balancer/vrrp/steps/index.js';
import { steps as calico } from '../network/calico/steps/index.js';
import { steps as cilium } from '../network/cilium/steps/index.js';
import { steps as flannel } from '../network/flannel/steps/index.js';
import { steps as manifest } from '../network/manifest/steps/index.js';
import { steps as containerd } from '../runtime/containerd/steps/index.js';
import { steps as crio } from '../runtime/crio/steps/index.js';
import type { COMPONENT_ACTIONS } from './actions.js';

/** How components carry out their actions. The compiler holds it complete. */
export const componentSteps: Record<(typeof COMPONENT_ACTIONS)[number], StepImplementation> = {
  ...bundle,
  ...imageSteps,
  ...containerd,
  ...crio,
  ...haproxyKeepalived,
  ...staticPodBalancer,
  ...lvs,
  ...kubeVip,
  ...vrrpSteps,
  ...external,
  ...memberSteps,
  ...externalSteps,
  ...staticPods,
  ...etcdBySystemd,
  ...flannel,
  ...calico,
  ...cilium,
  ...manifest,
  ...repository,
};
