export const ACTIONS = ['installKubernetesPackages', 'bringEtcdTools'] as const;
