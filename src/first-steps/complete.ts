import { isIpv4, unusable } from '../cluster/checks/ip.js';
import { localPath, port, sshAddress, userName } from '../cluster/schema/forms.js';
import type {
  Draft,
  DraftBastion,
  DraftHost,
  DraftSettings,
  DraftSsh,
  Found,
  FoundBastion,
  FoundHost,
} from './draft.js';
import { type LeftOut, oneLine } from './left-out.js';
import { isValidName, Names, validClusterName } from './names.js';
import { labelsOf, taintsOf } from './node-marks.js';
import { listOf, says, showValue, textOf, whyNotTaken } from './values.js';

/** What a cluster is called that nobody has named. */
const NAMELESS = 'demo';

/**
 * Makes a draft of what a source says: names become valid, each value is one that `cluster.yaml` takes, or it is left out and
 * told. Pure.
 *
 * @param found the source, its values unchecked
 * @param leftOut what the reader of the source has left out already
 */
export function complete(found: Found, leftOut: LeftOut, source?: string): Draft {
  const notes: string[] = [];
  const names = new Names(new Set(found.hosts.flatMap(({ name }) => (name && isValidName(name) ? [name] : []))));
  const taken = new Map<string, string>();
  const relative = new Set<string>();
  const hosts = found.hosts.map((host) => {
    const name = names.give(host.name, host.role);
    if (host.name !== undefined && host.name !== name) {
      notes.push(oneLine(`${host.name} is called ${name} here: a node cannot have, or share, its name`));
    }
    const draft = hostOf(host, name, leftOut);
    const other = draft.address === undefined ? undefined : taken.get(draft.address);
    if (other !== undefined) {
      leftOut.add(`address ${draft.address}`, `${other} has it already`, name);
      return { ...draft, address: undefined };
    }
    if (draft.address !== undefined) taken.set(draft.address, name);
    if (/^[^~/]/.test(draft.ssh.keyFile ?? '')) relative.add(draft.ssh.keyFile ?? '');
    return draft;
  });
  const name = clusterName(found.name, notes);
  notes.push(...[...relative].map((file) => oneLine(`the key file ${file} is looked for beside cluster.yaml`)));
  return {
    source,
    name,
    settings: settingsOf(found.settings, addressesOf(found.hosts), leftOut),
    hosts,
    leftOut: leftOut.lines(),
    notes,
    findings: [],
    ...(found.problem !== undefined && { problem: oneLine(found.problem) }),
  };
}

function clusterName(wanted: string | undefined, notes: string[]): string {
  if (wanted === undefined) return NAMELESS;
  const name = validClusterName(wanted) ?? NAMELESS;
  if (name !== wanted)
    notes.push(oneLine(`the cluster ${wanted} is called ${name} here: its name is part of paths and units`));
  return name;
}

function hostOf(found: FoundHost, name: string, leftOut: LeftOut): DraftHost {
  const ssh = sshOf(found.ssh, name, leftOut);
  const address = addressOf(found.address ?? ssh.address, name, leftOut);
  const isSame = ssh.address === address;
  return {
    name,
    role: found.role,
    address,
    runsPods: found.runsPods,
    labels: labelsOf(found, name, leftOut),
    taints: taintsOf(found, name, leftOut),
    ssh: { ...ssh, address: isSame ? undefined : ssh.address },
    remarks: [],
  };
}

function addressOf(address: string | undefined, name: string, leftOut: LeftOut): string | undefined {
  if (address === undefined || !isIpv4(address)) return undefined;
  const why = unusable(address);
  if (why === undefined) return address;
  leftOut.add(`address ${address}`, `it ${why}`, name);
  return undefined;
}

/** Takes a value of a form, or leaves it out. */
type Form = { safeParse(value: unknown): { success: boolean } };

function sshOf({ bastion, ...own }: FoundHost['ssh'], name: string, leftOut: LeftOut): DraftSsh {
  const direct = loginOf(own, '', name, leftOut);
  return { ...direct, bastion: bastion === undefined ? undefined : bastionOf(bastion, name, leftOut) };
}

function bastionOf(found: FoundBastion, name: string, leftOut: LeftOut): DraftBastion | undefined {
  const { address, ...rest } = loginOf(found, 'bastion ', name, leftOut);
  return address === undefined ? undefined : { address, ...rest };
}

function loginOf(found: FoundBastion, whose: string, name: string, leftOut: LeftOut) {
  const take = (value: unknown, what: string, form: Form): string | undefined => {
    const text = textOf(value);
    if (!says(value) || (text !== undefined && form.safeParse(text).success)) return text;
    leftOut.add(`${whose}${what} ${showValue(value)}`, whyNotTaken(value), name);
    return undefined;
  };
  return {
    address: take(found.address, 'address', sshAddress()),
    user: take(found.user, 'user', userName()),
    port: portOf(found.port, `${whose}port`, name, leftOut),
    keyFile: take(found.keyFile, 'key file', localPath('~/.ssh/id_ed25519')),
  };
}

function portOf(value: unknown, what: string, name: string, leftOut: LeftOut): number | undefined {
  if (!says(value)) return undefined;
  const number = Number(value);
  if (port().safeParse(number).success) return number;
  leftOut.add(`${what} ${showValue(value)}`, whyNotTaken(value), name);
  return undefined;
}

function addressesOf(hosts: FoundHost[]): Set<string> {
  const all = hosts.flatMap(({ address, otherAddresses = [], ssh }) => [address, ssh.address, ...otherAddresses]);
  return new Set(all.flatMap((address) => textOf(address) ?? []));
}

/**
 * Whether they fit is seen when the whole file is checked.
 *
 * @param hosts addresses of hosts, of which none can be a load balancer
 */
function settingsOf(
  { external, prefixLength, certificateSANs, ...texts }: Found['settings'],
  hosts: Set<string>,
  leftOut: LeftOut,
): DraftSettings {
  const settings: DraftSettings = Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, textOf(value)]));
  const names = listOf(certificateSANs).flatMap((name) => textOf(name) ?? []);
  const balancer = balancerOf(external as DraftSettings['external'], hosts, leftOut);
  // Installers that bring a virtual IP have it as the API's external address as well.
  const isVip = settings.vip !== undefined && balancer?.address === settings.vip;
  if (balancer !== undefined && settings.vip !== undefined && !isVip) {
    leftOut.add(`virtual IP ${settings.vip}`, `the API has another address, ${balancer.address}`);
    settings.vip = undefined;
  }
  return {
    ...settings,
    ...(names.length > 0 && { certificateSANs: names }),
    ...(typeof prefixLength === 'number' && { prefixLength }),
    ...(balancer !== undefined && !isVip && { external: balancer }),
  };
}

/** What installers without a load balancer have as the API's address may be one that is there, or simply the first control plane. */
function balancerOf(
  external: DraftSettings['external'],
  hosts: Set<string>,
  leftOut: LeftOut,
): DraftSettings['external'] {
  if (external === undefined || !hosts.has(external.address)) return external;
  const why = 'it is a host, and the API would go with it; a virtual IP moves to another one';
  leftOut.add(`the address of the API, ${external.address}`, why);
  return undefined;
}
