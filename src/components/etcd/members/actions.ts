/** What every way to run etcd has. */
export const MEMBER_ACTIONS = ['verifyEtcdCluster'] as const;
