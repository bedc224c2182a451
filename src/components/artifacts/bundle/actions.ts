export const ACTIONS = ['installBinaries'] as const;
