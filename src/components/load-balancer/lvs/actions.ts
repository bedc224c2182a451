export const ACTIONS = ['configureDirector', 'configureRealServer', 'proveDirectors', 'verifyDirectors'] as const;
