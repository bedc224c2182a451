import { MARK } from './places.js';

/**
 * The environment file of the service, as it is made when there is none: names alone. systemd reads it, see EnvironmentFile=
 * in systemd.exec(5). Pure.
 */
export function environmentTemplate(): string {
  return `# ${MARK}. What the worker of kubewright.service finds in its environment: NAME=value, one a line.
# After a change: systemctl restart kubewright. It is root's alone (0600); Kubewright never changes it.
#
# Variables that your cluster.yaml names: sudoPasswordEnv of hosts, packages.registry.loginEnv, secrets of loadBalancer.notify.
#
# A socket of an SSH agent that runs without a terminal, not in /tmp: the service has its own. Key files need none.
#SSH_AUTH_SOCK=
#
# Encrypts payloads; give the terminals of this machine the same one.
#KUBEWRIGHT_PAYLOAD_KEY_FILE=
#
# Serves metrics for Prometheus, such as 127.0.0.1:9464.
#KUBEWRIGHT_METRICS=
#
# Where bundles and Temporal's programs lie, and how they are fetched.
#KUBEWRIGHT_CACHE=
#HTTPS_PROXY=
#NODE_EXTRA_CA_CERTS=
`;
}
