export const ACTIONS = ['startEtcdService'] as const;
