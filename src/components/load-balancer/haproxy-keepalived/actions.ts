export const ACTIONS = ['configureLoadBalancer', 'proveVirtualIp', 'verifyEndpoint'] as const;
