export const VRRP_ACTIONS = ['proveVirtualIp', 'verifyEndpoint'] as const;
