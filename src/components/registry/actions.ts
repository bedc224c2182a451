import { ACTIONS as bundle } from '../artifacts/bundle/actions.js';
import { IMAGE_ACTIONS } from '../artifacts/images/actions.js';
import { ACTIONS as repository } from '../artifacts/repository/actions.js';
import { EXTERNAL_ACTIONS } from '../etcd/external/actions.js';
import { MEMBER_ACTIONS } from '../etcd/members/actions.js';
import { ACTIONS as staticPods } from '../etcd/static-pods/actions.js';
import { ACTIONS as etcdBySystemd } from '../etcd/systemd/actions.js';
import { ACTIONS as external } from '../load-balancer/external/actions.js';
import { ACTIONS as haproxyKeepalived } from '../load-balancer/haproxy-keepalived/actions.js';
import { ACTIONS as kubeVip } from '../load-balancer/kube-vip/actions.js';
import { ACTIONS as lvs } from '../load-balancer/lvs/actions.js';
import { ACTIONS as staticPodBalancer } from '../load-balancer/static-pods/actions.js';
import { VRRP_ACTIONS } from '../load-balancer/vrrp/actions.js';
import { ACTIONS as calico } from '../network/calico/actions.js';
import { ACTIONS as cilium } from '../network/cilium/actions.js';
import { ACTIONS as flannel } from '../network/flannel/actions.js';
import { ACTIONS as manifest } from '../network/manifest/actions.js';
import { ACTIONS as containerd } from '../runtime/containerd/actions.js';
import { ACTIONS as crio } from '../runtime/crio/actions.js';

/** Names of what components do; also those of their activity types. This file gets into workflow code. */
export const COMPONENT_ACTIONS = [
  ...bundle,
  ...IMAGE_ACTIONS,
  ...containerd,
  ...crio,
  ...haproxyKeepalived,
  ...staticPodBalancer,
  ...lvs,
  ...kubeVip,
  ...VRRP_ACTIONS,
  ...external,
  ...MEMBER_ACTIONS,
  ...EXTERNAL_ACTIONS,
  ...staticPods,
  ...etcdBySystemd,
  ...flannel,
  ...calico,
  ...cilium,
  ...manifest,
  ...repository,
] as const;
