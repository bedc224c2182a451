export const ACTIONS = ['installBinaries', 'importImages', 'importCheckImages'] as const;
