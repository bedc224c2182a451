import type { Cluster } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { endpointOf } from '../../../render/kubeadm.js';

export const CA_CERTIFICATE = '/etc/kubernetes/pki/ca.crt';

/** Certificate and key in one file, kept by the kubelet itself. */
const KUBELET_CLIENT = '/var/lib/kubelet/pki/kubelet-client-current.pem';

/**
 * Bash function `api_get PATH`: asks the API through the VIP with the kubelet's own certificate, and trusts nobody but the
 * cluster's CA. So the answer proves that the host belongs to this very cluster. Workers have no kubectl.
 */
export function apiGetFunction(cluster: Cluster): string {
  const endpoint = quote(endpointOf(cluster));
  return `api_get() {
  printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\nAccept: application/json\\r\\n\\r\\n' "$1" ${endpoint} |
    timeout 5 openssl s_client -quiet -connect ${endpoint} -CAfile ${CA_CERTIFICATE} -verify_return_error \\
      -verify_ip ${quote(cluster.endpoint.vip)} -cert ${KUBELET_CLIENT} -key ${KUBELET_CLIENT} 2>/dev/null | {
      IFS= read -r kw_status
      case $kw_status in *' 200 '*) sed '1,/^\\r$/d' ;; *) return 1 ;; esac
    }
}
`;
}
