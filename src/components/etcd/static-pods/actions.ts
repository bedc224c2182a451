export const ACTIONS = ['startEtcdMember'] as const;
