export const ACTIONS = ['applyCalico'] as const;
