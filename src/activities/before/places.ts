/**
 * What a host was before Kubewright changed it, for root alone: `state`, lines of what there was; `files`, what stood where our steps
 * write; `at`, when. It is written once and goes with the cluster.
 */
export const BEFORE_DIRECTORY = '/var/lib/kubewright/before';
export const BEFORE_STATE = `${BEFORE_DIRECTORY}/state`;
export const BEFORE_FILES = `${BEFORE_DIRECTORY}/files`;
