import { isIpv4 } from '../../../cluster/checks/ip.js';
import type { FoundBastion, FoundHost } from '../../draft.js';
import type { LeftOut } from '../../left-out.js';
import { isTemplate, mapOf, says, showValue, textOf, type Values, whyLeftOut, whyNotTaken } from '../../values.js';

/** Names of one thing: Ansible's own, and older ones. The first that is there counts. */
const LOGIN = {
  address: ['ansible_host', 'ansible_ssh_host'],
  user: ['ansible_user', 'ansible_ssh_user'],
  port: ['ansible_port', 'ansible_ssh_port'],
  keyFile: ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
};
/** The node's own address, the first one that is one. */
const ADDRESSES = ['ip', 'access_ip'];
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
  ...ADDRESSES,
  ...['node_labels', 'node_taints', 'loadbalancer_apiserver', 'ansible_become'],
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
): Pick<FoundHost, 'address' | 'otherAddresses' | 'ssh'> {
  const address = first(vars, LOGIN.address) ?? name;
  const otherAddresses = ADDRESSES.map((each) => vars[each]);
  return {
    address: ownAddress(vars),
    otherAddresses,
    ssh: { ...logins(vars), address, bastion: jumpOf(vars) ?? bastion },
  };
}

/** kubespray tells the address of the node from the one that Ansible uses. */
function ownAddress(vars: Values): string | undefined {
  return ADDRESSES.map((name) => textOf(vars[name])).find((text) => text !== undefined && isIpv4(text));
}

/** A bastion that is a host of the inventory. */
export function bastionOf(name: string, vars: Values): FoundBastion {
  return { ...logins(vars), address: first(vars, LOGIN.address) ?? name };
}

function logins(vars: Values): FoundBastion {
  return { user: first(vars, LOGIN.user), port: first(vars, LOGIN.port), keyFile: first(vars, LOGIN.keyFile) };
}

/** The first value that is there; a template only where there is nothing else. */
function first(vars: Values, names: readonly string[]): unknown {
  const values = names.map((name) => vars[name]).filter(says);
  return values.find((value) => !isTemplate(value)) ?? values[0];
}

/** `ProxyJump=user@host:port`, and nothing else: of several jumps only `openssh` knows what to do. */
const JUMP = /^\s*['"]?-(?:o\s*['"]?ProxyJump[= ]|J\s*)(?:([^@\s,'"]+)@)?([^@\s,:'"]+)(?::(\d+))?['"]*\s*$/i;

function jumpOf(vars: Values): FoundBastion | undefined {
  return ARGUMENTS.map((name) => jumpIn(vars[name])).find((jump) => jump !== undefined);
}

function jumpIn(argument: unknown): FoundBastion | undefined {
  const [, user, address, port] = JUMP.exec(textOf(argument) ?? '') ?? [];
  return address === undefined ? undefined : { user, address, port };
}

/** Settings of the whole cluster: what holds for its first control plane. */
export function settingsOf(vars: Values): Values {
  const settings = Object.fromEntries(Object.entries(SETTINGS).map(([key, names]) => [key, first(vars, names)]));
  const { address, port } = mapOf(vars.loadbalancer_apiserver);
  const external = textOf(address);
  return { ...settings, ...(external && { external: { address: external, port: Number(port ?? 6443) } }) };
}

/** Tells of settings of the whole cluster that another host has otherwise than the first one, whose count. */
export function tellSettings(hosts: ReadonlyMap<string, Values>, leftOut: LeftOut): void {
  const [counting = {}, ...others] = [...hosts.values()];
  const names = [...hosts.keys()].slice(1);
  for (const each of [...Object.values(SETTINGS), ['loadbalancer_apiserver']]) {
    const taken = JSON.stringify(first(counting, each));
    for (const [at, vars] of others.entries()) {
      const value = first(vars, each);
      const name = each.find((one) => vars[one] === value);
      if (name === undefined || !says(value) || JSON.stringify(value) === taken) continue;
      leftOut.add(name, 'it is a setting of the whole cluster, and that of the first control plane counts', names[at]);
    }
  }
}

/** Tells of every variable that the draft does not have. */
export function tellOthers(host: string, vars: Values, leftOut: LeftOut): void {
  tellArguments(host, vars, leftOut);
  tellAddresses(host, vars, leftOut);
  for (const names of [...Object.values(LOGIN), ...Object.values(SETTINGS)]) tellUnused(host, vars, names, leftOut);
  for (const [name, value] of Object.entries(vars)) {
    if (name === 'loadbalancer_apiserver' && says(value) && textOf(mapOf(value).address) === undefined) {
      leftOut.add(name, 'it has no address', host);
    }
    if (CARRIED.has(name) || !says(value)) continue;
    const why = NOT_NEEDED.find(([pattern]) => pattern.test(name))?.[1] ?? whyLeftOut(name, value);
    if (why !== undefined) leftOut.add(name, why, host);
  }
}

function tellArguments(host: string, vars: Values, leftOut: LeftOut): void {
  const taken = JSON.stringify(jumpOf(vars));
  for (const name of ARGUMENTS.filter((each) => says(vars[each]))) {
    const jump = jumpIn(vars[name]);
    if (jump !== undefined && JSON.stringify(jump) === taken) continue;
    const why =
      jump === undefined
        ? 'options of ssh; "ssh.bastion" has a jump host, and "ssh.client: openssh" reads your ~/.ssh/config'
        : 'a host has one bastion, and another variable names it';
    leftOut.add(name, why, host);
  }
}

/** An address that is neither the node's nor the one for SSH. */
function tellAddresses(host: string, vars: Values, leftOut: LeftOut): void {
  const own = ownAddress(vars);
  const kept = [own, textOf(first(vars, LOGIN.address)) ?? host];
  for (const name of ADDRESSES) {
    const address = textOf(vars[name]);
    if (address === undefined || kept.includes(address)) continue;
    const why = isIpv4(address) ? `a node has one address, and its own is ${own}` : whyNotTaken(address);
    leftOut.add(`${name} ${showValue(address)}`, why, host);
  }
}

/** Of names for one thing, those that say something else than the one that counts. Templates mostly name the other one. */
function tellUnused(host: string, vars: Values, names: readonly string[], leftOut: LeftOut): void {
  const taken = first(vars, names);
  for (const name of names) {
    const value = vars[name];
    if (!says(value) || isTemplate(value) || JSON.stringify(value) === JSON.stringify(taken)) continue;
    leftOut.add(name, `${names.find((each) => vars[each] === taken)} says otherwise, and counts`, host);
  }
}
