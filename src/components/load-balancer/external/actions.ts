export const ACTIONS = ['verifyExternalEndpoint'] as const;
