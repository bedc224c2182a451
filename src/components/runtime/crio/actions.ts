export const ACTIONS = ['configureCrio'] as const;
