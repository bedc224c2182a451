/** What one code of the preflight is about. */
export interface PreflightCode {
  about: string;
  /** Why nobody may overrule it, as the rest of a sentence; left out where a person may. */
  stands?: string;
}

/**
 * Every check that `spec.preflight.ignore` may name, by its code. A check that protects living data, or hosts and addresses
 * of others, stands: a line in a file is too easily copied from the host where it was true to one where it is not. So does
 * one without which a later step fails for certain.
 */
export const PREFLIGHT_CODES: Readonly<Record<string, PreflightCode>> = {
  KW301: { about: 'Linux and systemd', stands: 'no service of a node can run without them' },
  KW302: { about: 'the distribution', stands: 'its packages could not be installed' },
  KW303: { about: 'the architecture', stands: 'there is nothing that could be installed' },
  KW304: { about: 'tools that the steps call' },
  KW305: { about: 'hostname and machine id' },
  KW306: { about: 'the address and its network card' },
  KW307: { about: 'kernel features' },
  KW308: { about: 'cgroups' },
  KW309: { about: 'whether kernel settings can be changed' },
  KW310: { about: 'CPUs and memory' },
  KW311: { about: 'swap' },
  KW312: { about: 'free disk space' },
  KW313: { about: 'ports that are taken' },
  KW314: { about: 'proxies' },
  KW315: { about: 'firewalls' },
  KW316: { about: 'name servers' },
  KW317: { about: 'addresses and routes in the networks of pods and services' },
  KW318: { about: 'services and containers of somebody else' },
  KW319: { about: 'the version of containerd', stands: 'no kubelet of this version works with an older one' },
  KW320: { about: 'the owner of a host', stands: "it protects another cluster's host" },
  KW321: { about: 'remains of another Kubernetes', stands: 'it protects a node that may be alive' },
  KW322: { about: 'the node that is installed on a host', stands: 'it protects a node that may be alive' },
  KW323: { about: 'traces of a Kubernetes that is gone' },
  KW324: { about: 'folders of a node: noexec, links to nowhere' },
  KW325: { about: 'a certificate authority that was there before' },
  KW326: { about: 'certificates of a node that end' },
  KW327: { about: 'cards without a hardware address' },
  KW328: { about: 'releases that no test installs' },
  KW329: { about: 'kernel modules that the host forbids' },
  KW330: { about: 'hostnames that several hosts have' },
  KW331: { about: 'machine ids that several hosts have' },
  KW332: { about: 'hardware addresses that several hosts have' },
  KW333: { about: 'clocks' },
  KW334: { about: 'the virtual IP', stands: 'it protects the machine that has this address now' },
  KW335: { about: 'TCP ports between hosts' },
  KW336: { about: 'CA certificates of different clusters', stands: "it protects another cluster's hosts" },
  KW337: { about: 'UDP of the pod network between hosts' },
  KW338: { about: 'VRRP between control planes' },
  KW339: { about: 'what could not be asked of several hosts' },
  KW340: { about: 'the source of the containerd under which pods run', stands: 'it protects pods that run' },
  KW341: { about: "the kernel's age" },
  KW343: { about: 'what could not be looked at' },
  KW344: { about: 'files of others that are replaced' },
  KW346: { about: 'secrets that the file names', stands: 'a later step could not do without them' },
  KW347: { about: 'programs on the hosts that the file names' },
  KW350: { about: 'something that answers for a host' },
  KW351: { about: 'the answer at the virtual IP before the cluster begins' },
  KW352: { about: 'who holds the virtual IP', stands: 'without one holder no host could join' },
  KW360: { about: 'what was applied to the cluster', stands: 'it protects a cluster that may be alive' },
  KW361: { about: 'edits that install cannot carry out', stands: 'it protects a cluster that is alive' },
  KW362: { about: 'the version that a node runs', stands: 'it protects a node that is alive' },
  KW363: { about: 'the pod network that a cluster lives with', stands: 'it protects a cluster that is alive' },
  KW365: { about: 'images of manifests that the bundle lacks' },
  KW370: { about: "the name of the API's external address", stands: 'no host would find the API' },
  KW371: { about: 'a name of the API that has different addresses on different hosts' },
  KW372: { about: 'who answers at an external address', stands: 'it protects the machine that answers there now' },
  KW373: { about: 'the way to an external address' },
};
