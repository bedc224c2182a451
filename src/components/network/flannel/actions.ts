export const ACTIONS = ['applyNetwork'] as const;
