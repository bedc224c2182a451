/** Generated files that flags of the API server refer to; the whole directory is mounted into its pod. */
export const API_SERVER_FILES = '/etc/kubernetes/kube-apiserver';

export const AUDIT_POLICY_PATH = `${API_SERVER_FILES}/audit-policy.yaml`;
export const AUTHENTICATION_PATH = `${API_SERVER_FILES}/authentication.yaml`;
export const ADMISSION_PATH = `${API_SERVER_FILES}/admission.yaml`;
/** Holds the key of encryption at rest, and lies apart: it is made on a host, and no plan knows its content. */
export const ENCRYPTION_DIRECTORY = '/etc/kubernetes/encryption-at-rest';
export const ENCRYPTION_PATH = `${ENCRYPTION_DIRECTORY}/config.yaml`;
