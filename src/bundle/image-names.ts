/** Name of the image with a bundle's HAProxy and keepalived, without its tag. */
export const LOAD_BALANCER_IMAGE = 'kubewright.dev/load-balancer';
