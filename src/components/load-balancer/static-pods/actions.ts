export const ACTIONS = ['writeBalancerPods', 'startBalancerPods'] as const;
