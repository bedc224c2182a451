import { KUBE_VIP_IMAGE, KUBE_VIP_RELEASE } from '../../bundle/image-names.js';
import type { BundledBalancer } from './job.js';

/** What a load balancer beside HAProxy and keepalived adds to a bundle: one image, which control planes that have it take. */
export interface BalancerParts {
  version: string;
  image: string;
}

export const BALANCERS: Readonly<Record<BundledBalancer, BalancerParts>> = {
  'kube-vip': { version: KUBE_VIP_RELEASE, image: `${KUBE_VIP_IMAGE}:${KUBE_VIP_RELEASE}` },
};

/** Whether an image is one of them. */
export function isOfBalancer(name: string): boolean {
  return Object.values(BALANCERS).some(({ image }) => image === name);
}
