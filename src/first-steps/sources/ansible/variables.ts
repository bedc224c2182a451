import { isIpv4 } from '../../../cluster/checks/ip.js';
import type { FoundBastion, FoundHost } from '../../draft.js';
import type { LeftOut } from '../../left-out.js';
import { mapOf, says, textOf, type Values, whyLeftOut } from '../../values.js';

/** Names of one thing: Ansible's own, and older ones. The first that is there counts. */
const LOGIN = {
  address: ['ansible_host', 'ansible_ssh_host'],
  user: ['ansible_user', 'ansible_ssh_user'],
  port: ['ansible_port', 'ansible_ssh_port'],
  keyFile: ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
};
const ARGUMENTS = ['ansible_ssh_common_args', 'ansible_ssh_extra_args'];

/** kubespray's variables for what concerns the whole cluster; `cluster_name` is its domain. */
const SETTINGS = {
  version: ['kube_version'],
  podSubnet: ['kube_pods_subnet'],
  serviceSubnet: ['kube_service_addresses'],
  dnsDomain: ['dns_domain', 'cluster_name'],
  vip: ['kube_vip_address'],
  certificateSANs: ['supplementary_addresses_in_ssl_keys'],
} as const;

const CARRIED = new Set([
  ...Object.values(LOGIN).flat(),
  ...Object.values(SETTINGS).flat(),
  ...ARGUMENTS,
  ...['ip', 'access_ip', 'node_labels', 'node_taints', 'loadbalancer_apiserver', 'ansible_become'],
]);

/** Variables that mean nothing here, with why. */
const NOT_NEEDED: [name: RegExp, why: string][] = [
  [
    /pass(word|wd|phrase)?$|secret|token/i,
    "a secret, which never stands in cluster.yaml; ssh.sudoPasswordEnv names a variable for sudo's",
  ],
  [/^ansible_python_interpreter$/, 'hosts need no Python'],
  [/^ansible_become_/, 'a login user that is not root uses sudo, and becomes root'],
  [/^ansible_connection$/, 'every host is reached by SSH'],
  [/^etcd_member_name$/, 'members of etcd have the names of their hosts'],
];

/** A host's own part of the draft, out of the variables that hold for it. */
export function loginOf(
  name: string,
  vars: Values,
  bastion: FoundBastion | undefined,
): Pick<FoundHost, 'address' | 'ssh'> {
  const address = first(vars, LOGIN.address) ?? name;
  // kubespray tells the address of the node from the one that Ansible uses.
  const own = [vars.ip, vars.access_ip].map(textOf).find((text) => text !== undefined && isIpv4(text));
  return { address: own, ssh: { ...logins(vars), address, bastion: jumpOf(vars) ?? bastion } };
}

/** A bastion that is a host of the inventory. */
export function bastionOf(name: string, vars: Values): FoundBastion {
  return { ...logins(vars), address: first(vars, LOGIN.address) ?? name };
}

function logins(vars: Values): FoundBastion {
  return { user: first(vars, LOGIN.user), port: first(vars, LOGIN.port), keyFile: first(vars, LOGIN.keyFile) };
}

function first(vars: Values, names: readonly string[]): unknown {
  return names.map((name) => vars[name]).find(says);
}

/** `ProxyJump=user@host:port`, and nothing else: of several jumps only `openssh` knows what to do. */
const JUMP = /^\s*['"]?-(?:o\s*['"]?ProxyJump[= ]|J\s*)(?:([^@\s,'"]+)@)?([^@\s,:'"]+)(?::(\d+))?['"]*\s*$/i;

function jumpOf(vars: Values): FoundBastion | undefined {
  const [, user, address, port] = ARGUMENTS.map((name) => JUMP.exec(textOf(vars[name]) ?? '')).find(Boolean) ?? [];
  return address === undefined ? undefined : { user, address, port };
}

/** Settings of the whole cluster: what holds for its first control plane. */
export function settingsOf(vars: Values): Values {
  const settings = Object.fromEntries(Object.entries(SETTINGS).map(([key, names]) => [key, first(vars, names)]));
  const { address, port } = mapOf(vars.loadbalancer_apiserver);
  const external = textOf(address);
  return { ...settings, ...(external && { external: { address: external, port: Number(port ?? 6443) } }) };
}

/** Tells of every variable that the draft does not have. */
export function tellOthers(host: string, vars: Values, leftOut: LeftOut): void {
  for (const [name, value] of Object.entries(vars)) {
    if (ARGUMENTS.includes(name) && says(value) && jumpOf(vars) === undefined) {
      leftOut.add(
        name,
        'options of ssh; "ssh.bastion" has a jump host, and "ssh.client: openssh" reads your ~/.ssh/config',
        host,
      );
    }
    if (name === 'loadbalancer_apiserver' && says(value) && textOf(mapOf(value).address) === undefined) {
      leftOut.add(name, 'it has no address', host);
    }
    if (CARRIED.has(name) || !says(value)) continue;
    const why = NOT_NEEDED.find(([pattern]) => pattern.test(name))?.[1] ?? whyLeftOut(name, value);
    if (why !== undefined) leftOut.add(name, why, host);
  }
}
