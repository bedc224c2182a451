export const ACTIONS = ['writeKubeVip', 'startKubeVip', 'proveKubeVip', 'verifyKubeVip'] as const;
