export const ACTIONS = ['configureRuntime'] as const;
