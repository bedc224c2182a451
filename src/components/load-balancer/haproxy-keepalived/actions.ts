export const ACTIONS = ['configureLoadBalancer'] as const;
