import { DEFAULTS } from '../cluster/defaults.js';
import type { Taint } from '../cluster/types.js';
import type { Draft, DraftBastion, DraftHost, DraftSettings, DraftSsh } from './draft.js';
import { oneLine } from './left-out.js';

/** Writes a draft as a commented `cluster.yaml`. Pure. What is not known stands there as a comment, to be filled in. */
export function renderDraft(draft: Draft): string {
  const common = commonSsh(draft.hosts);
  const source = draft.source === undefined ? undefined : oneLine(draft.source);
  const lines = [
    `# Made by \`kubewright init\`${source === undefined ? '' : ` from ${source}`}. docs/cluster-yaml.md has every key, with its default.`,
    '#   kubewright validate cluster.yaml    checks it; touches no host',
    '#   kubewright plan cluster.yaml        looks at each host; changes nothing',
    '#   kubewright install cluster.yaml     makes the cluster',
    'apiVersion: kubewright.dev/v1alpha1',
    'kind: Cluster',
    'metadata:',
    '  # Part of paths, units and contexts; it stays as it is for the life of the cluster.',
    `  name: ${scalar(draft.name)}`,
    'spec:',
    ...endpointLines(draft.settings, draft.hosts),
    ...kubernetesLines(draft.settings),
    ...sshLines(common),
    ...hostLines(draft.hosts, common),
    ...remarkLines(`Not as ${source ?? 'it was given'}${source === undefined ? '' : ' has it'}:`, draft.notes),
    ...remarkLines(`Left out${source === undefined ? '' : ` of ${source}`}:`, draft.leftOut),
  ];
  return `${lines.join('\n')}\n`;
}

function endpointLines({ external, vip, vipRemark, prefixLength }: DraftSettings, hosts: DraftHost[]): string[] {
  if (external !== undefined) {
    return [
      '  endpoint:',
      '    # A load balancer that is there already, and leads to the control planes. Without these two and "loadBalancer", give a "vip".',
      `    address: ${scalar(external.address)}`,
      `    port: ${external.port}`,
      '  loadBalancer:',
      '    type: external',
    ];
  }
  const example = exampleVip(hosts);
  return [
    '  endpoint:',
    "    # The cluster's own address, served by whichever control plane holds it: an address that no machine has, in the control",
    "    # planes' subnet and outside of any DHCP range.",
    ...(vipRemark === undefined ? [] : [`    # ${oneLine(vipRemark)}`]),
    vip === undefined ? `    # vip: ${example} # fill in a free address` : `    vip: ${scalar(vip)}`,
    ...(prefixLength === undefined || prefixLength === DEFAULTS.endpoint.prefixLength
      ? []
      : [`    prefixLength: ${prefixLength} # of the hosts' subnet`]),
  ];
}

/** Only to show the form: nobody has looked whether it is free. */
function exampleVip(hosts: DraftHost[]): string {
  const address = hosts.find(({ role, address }) => role === 'control-plane' && address !== undefined)?.address;
  return address === undefined ? '10.88.0.100' : address.replace(/\d+$/, 'N');
}

function kubernetesLines({ version, podSubnet, serviceSubnet, dnsDomain, certificateSANs }: DraftSettings): string[] {
  const lines = Object.entries({ version, podSubnet, serviceSubnet, dnsDomain })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `    ${key}: ${scalar(String(value))}`);
  if (certificateSANs !== undefined)
    lines.push('    certificateSANs:', ...certificateSANs.map((name) => `      - ${scalar(name)}`));
  if (lines.length > 0) return ['  kubernetes:', ...lines];
  return ['  # kubernetes:', `  #   version: ${DEFAULTS.kubernetes.version} # the default`];
}

type SshKey = keyof DraftSsh;
const SSH_KEYS = ['address', 'user', 'port', 'keyFile', 'bastion'] as const satisfies SshKey[];

/** What all hosts have in common stands once; where one differs each has its own. */
function commonSsh(hosts: DraftHost[]): DraftSsh {
  const [first] = hosts;
  const isSame = (key: SshKey) =>
    hosts.every(({ ssh }) => JSON.stringify(ssh[key]) === JSON.stringify(first?.ssh[key]));
  return Object.fromEntries(
    SSH_KEYS.filter((key) => key !== 'address' && isSame(key)).map((key) => [key, first?.ssh[key]]),
  );
}

function sshLines(common: DraftSsh): string[] {
  const given = SSH_KEYS.filter((key) => common[key] !== undefined);
  if (given.length === 0) return ['  # ssh:', '  #   user: root # the default; one that is not root needs sudo'];
  const comment = common.user === undefined || common.user === 'root' ? '' : ' # needs sudo';
  return ['  ssh:', ...given.map((key) => `    ${key}: ${sshValue(common, key)}${key === 'user' ? comment : ''}`)];
}

function sshValue(ssh: DraftSsh, key: SshKey): string {
  return key === 'bastion' ? flow(bastionEntries(ssh.bastion)) : scalar(ssh[key] as string | number);
}

function bastionEntries(bastion: DraftBastion | undefined): [string, string][] {
  const entries = Object.entries(bastion ?? {}).filter(([, value]) => value !== undefined);
  return entries.map(([key, value]) => [key, scalar(value)]);
}

function hostLines(hosts: DraftHost[], common: DraftSsh): string[] {
  const controlPlanes = hosts.filter(({ role }) => role === 'control-plane').length;
  const etcds = hosts.filter(({ role }) => role === 'etcd').length;
  return [
    '  hosts:',
    ...(controlPlanes % 2 === 0 ? evenComment(controlPlanes, 'control planes', etcds > 0) : []),
    ...(etcds > 0 && etcds % 2 === 0 ? evenComment(etcds, 'etcd hosts', false) : []),
    ...hosts.flatMap((host) => [
      ...host.remarks.map((remark) => `    # ${oneLine(remark)}`),
      ...hostEntry(host, common),
    ]),
  ];
}

function evenComment(count: number, what: string, isApart: boolean): string[] {
  const survived = Math.max(0, Math.ceil(count / 2) - 1);
  if (isApart) return [`    # ${count} ${what}: the loss of one is survived, and 3 are usual.`];
  return [
    `    # WARNING: ${count} ${what} make ${count} etcd members. An even number survives the loss of ${survived}, as ${count - 1} would, and fails more`,
    `    # often, so it is refused: take ${count - 1} or ${count + 1}.`,
  ];
}

function hostEntry({ name, address, role, runsPods, labels, taints, ssh }: DraftHost, common: DraftSsh): string[] {
  const own = SSH_KEYS.filter((key) => ssh[key] !== undefined && common[key] === undefined);
  const entries: [string, string][] = [['name', scalar(name)]];
  if (address !== undefined) entries.push(['address', scalar(address)]);
  entries.push(['role', role]);
  const isFree = role === 'control-plane' && runsPods;
  if (isFree || taints.length > 0)
    entries.push(['taints', taintList(role === 'worker' || runsPods ? taints : [KUBEADMS, ...taints])]);
  if (Object.keys(labels).length > 0) {
    entries.push(['labels', flow(Object.entries(labels).map(([key, value]) => [scalar(key), scalar(value)]))]);
  }
  if (own.length > 0) entries.push(['ssh', flow(own.map((key) => [key, sshValue(ssh, key)]))]);
  const missing =
    address === undefined ? ['    # Fill in its "address": the IPv4 address that the cluster shall use.'] : [];
  const line = `    - ${flow(entries)}`;
  if (line.length <= 120) return [...missing, line];
  return [...missing, ...entries.map(([key, value], at) => `    ${at === 0 ? '-' : ' '} ${key}: ${value}`)];
}

/** A list of taints takes the place of kubeadm's own. */
const KUBEADMS: Taint = { key: 'node-role.kubernetes.io/control-plane', value: '', effect: 'NoSchedule' };

function taintList(taints: Taint[]): string {
  const each = taints.map(({ key, value, effect }) => {
    const middle: [string, string][] = value === '' ? [] : [['value', scalar(value)]];
    return flow([['key', scalar(key)], ...middle, ['effect', effect]]);
  });
  return `[${each.join(', ')}]`;
}

function flow(entries: [string, string][]): string {
  return `{ ${entries.map(([key, value]) => `${key}: ${value}`).join(', ')} }`;
}

/** Words that YAML, old or new, takes for something else than text. */
const WORDS = /^(true|false|yes|no|on|off|y|n|null|~|nan|inf)$/i;

/** A value for a place in or outside of `{ }`; in quotes where it is not plainly a text. */
function scalar(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const isPlain = /^[A-Za-z~/][A-Za-z0-9_./~@+-]*$/.test(value) || /^\d+\.\d+\.\d+(\.\d+(\/\d+)?)?$/.test(value);
  return isPlain && !WORDS.test(value) ? value : JSON.stringify(value);
}

function remarkLines(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', `# ${title}`, ...lines.map((line) => `#   ${oneLine(line)}`)];
}
