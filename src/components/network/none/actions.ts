export const ACTIONS = [] as const;
