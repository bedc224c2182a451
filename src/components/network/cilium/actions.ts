export const ACTIONS = ['applyCilium'] as const;
