/** What every source of artifacts does: the runtime of the cluster has its own way. */
export const IMAGE_ACTIONS = ['importImages', 'importCheckImages'] as const;
