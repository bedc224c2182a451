export const ACTIONS = ['applyManifests'] as const;
