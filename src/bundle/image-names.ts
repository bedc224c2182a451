/** Name of the image with a bundle's HAProxy and keepalived, without its tag. */
export const LOAD_BALANCER_IMAGE = 'kubewright.dev/load-balancer';

/** Name of kube-vip's image as its makers publish it, without its tag. */
export const KUBE_VIP_IMAGE = 'ghcr.io/kube-vip/kube-vip';

/**
 * The release that bundles bring. Not an earlier one of 1.2: 1.2.2 asks through the virtual IP that it is about to take
 * (kube-vip#1654), and up to 1.2.3 one that lost a lease may stay without saying so (kube-vip#1747).
 */
export const KUBE_VIP_RELEASE = 'v1.2.4';

/** agnhost of Kubernetes 1.34, with which checks ask DNS; newer and older releases of Kubernetes work with it as well. */
export const CHECK_IMAGE = 'registry.k8s.io/e2e-test-images/agnhost:2.56';
