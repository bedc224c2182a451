import { gatherFacts } from '../../../activities/remote-facts.js';
import { isIpv4 } from '../../../cluster/checks/ip.js';
import type { Cluster } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { addressOf } from './settings.js';

/** What one host sees where the API shall be. */
export interface EndpointView {
  host: string;
  /** IPv4 addresses that the name has there, sorted; undefined where the file gives an address. */
  resolved: string[] | undefined;
  /**
   * What came of a connection: `connected`; `refused`: a machine is there, and nobody listens; `silent`: nothing came back;
   * otherwise the kernel's own words, such as "No route to host".
   */
  reach: string;
  /** Whether the host has openssl, without which the next two are unknown. */
  looked: boolean;
  /** Certificate that was presented, PEM; empty when none was. */
  certificate: string;
  /** Beginning of what was answered to a plain request where there was no certificate; empty for nothing. */
  greeting: string;
  /** Certificate of the host's cluster CA, PEM; empty when there is none. */
  authority: string;
}

const CONNECT_SECONDS = 4;

/** Asks a host what it finds at the endpoint; a connection is all that the other end sees of it. */
export async function viewFrom(cluster: Cluster, remote: RemoteHost, signal: AbortSignal): Promise<EndpointView> {
  const facts = await gatherFacts(remote, script(cluster), signal);
  const isName = !isIpv4(addressOf(cluster));
  return {
    host: remote.name,
    resolved: isName
      ? facts
          .text('resolved')
          .split('\n')
          .filter((line) => line !== '')
      : undefined,
    reach: facts.text('reach'),
    looked: facts.holds('openssl'),
    certificate: facts.text('certificate'),
    greeting: facts.text('greeting'),
    authority: facts.text('authority'),
  };
}

/** Bash. bash says why a connection failed in its own error message, whose last words are the kernel's. */
export function script(cluster: Cluster): string {
  const address = quote(addressOf(cluster));
  const { port } = cluster.endpoint;
  return `resolved() { getent ahostsv4 ${address} | awk '{ print $1 }' | sort -u; }
reach() {
  local kw_said kw_status
  kw_said=$(LC_ALL=C timeout ${CONNECT_SECONDS} bash -c ': <>"/dev/tcp/$0/$1"' ${address} ${port} 2>&1)
  kw_status=$?
  case $kw_status:$kw_said in
    0:*) echo connected ;;
    124:* | *'timed out'*) echo silent ;;
    *refused*) echo refused ;;
    *) printf '%s\\n' "\${kw_said##*: }" ;;
  esac
}
certificate() { timeout 5 openssl s_client -connect ${address}:${port} </dev/null 2>/dev/null | openssl x509; }
greeting() {
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "GET /version HTTP/1.0\\r\\n\\r\\n" >&3 && head -c 60 <&3' ${address} ${port} |
    head -n 1 | tr -cd '[:print:]'
}
fact resolved resolved
fact reach reach
fact openssl command -v openssl && { fact certificate certificate || fact greeting greeting; }
fact authority cat /etc/kubernetes/pki/ca.crt`;
}
