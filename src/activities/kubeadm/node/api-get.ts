import { isIpv4 } from '../../../cluster/checks/ip.js';
import type { Cluster } from '../../../cluster/types.js';
import { apiAddressOf } from '../../../components/registry/plan.js';
import { quote } from '../../../hosts/shell.js';
import { endpointOf } from '../../../render/kubeadm.js';
import { SAYS_NO } from '../../remote-facts.js';

export const CA_CERTIFICATE = '/etc/kubernetes/pki/ca.crt';

/** Certificate and key in one file, kept by the kubelet itself. */
export const KUBELET_CLIENT = '/var/lib/kubelet/pki/kubelet-client-current.pem';

/**
 * Bash function `api_get PATH`: asks the API through the endpoint with the kubelet's own certificate, and trusts nobody but the
 * cluster's CA. So the answer proves that the host belongs to this very cluster. Workers have no kubectl.
 *
 * To be put by `ask`: no is only the API's own "404"; any other answer, and none, is an error that says so.
 */
export function apiGetFunction(cluster: Cluster): string {
  const endpoint = quote(endpointOf(cluster));
  return `api_get() {
  local kw_status=
  printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\nAccept: application/json\\r\\n\\r\\n' "$1" ${endpoint} |
    timeout 5 openssl s_client -quiet -verify_quiet -connect ${endpoint} -CAfile ${CA_CERTIFICATE} -verify_return_error \\
      ${verifyWord(apiAddressOf(cluster))} -cert ${KUBELET_CLIENT} -key ${KUBELET_CLIENT} | {
      IFS= read -r kw_status
      case $kw_status in
        *' 200 '*) sed '1,/^\\r$/d' ;;
        *' 404 '*) if grep -q '"reason": *"NotFound"'; then return ${SAYS_NO}; fi; echo 'an odd 404' >&2; return 1 ;;
        '') echo "no answer from "${endpoint} >&2; return 1 ;;
        *) printf '%s answers %s\\n' ${endpoint} "\${kw_status%$'\\r'}" >&2; return 1 ;;
      esac
    }
}
`;
}

/** What `openssl s_client` wants to be told of the name or address that the certificate has to be for, as shell words. */
export function verifyWord(address: string): string {
  return `${isIpv4(address) ? '-verify_ip' : '-verify_hostname'} ${quote(address)}`;
}
