import { parseCluster } from '../cluster/load.js';
import { isClusterFileError, type Problem } from '../cluster/problem.js';
import type { Draft, DraftHost, DraftSettings } from './draft.js';
import { oneLine } from './left-out.js';
import { renderDraft } from './render.js';
import { showValue } from './values.js';

/** A draft as it will be written, and what a person still has to do to it. */
export interface Settled {
  draft: Draft;
  text: string;
  /** What `kubewright validate` says is missing or wrong, and what the source leaves open: nothing, where the file is whole. */
  problems: Problem[];
  /** What it says may surprise. */
  warnings: Problem[];
}

/** Networks for pods and Services where the default is the hosts' own, or too small: the last one has room for 16,384 nodes. */
const OTHER_SUBNETS = {
  podSubnet: ['172.20.0.0/16', '192.168.0.0/16', '100.64.0.0/10'],
  serviceSubnet: ['172.30.0.0/16', '10.43.0.0/16'],
};

/**
 * Checks a draft as `kubewright validate` would, and takes out what the source says and a cluster.yaml does not take: such a
 * setting is told, and the default or a person's choice takes its place.
 *
 * @param directory where the file will be, for what it names
 */
export function settle(draft: Draft, directory: string): Settled {
  const tried = new Set<string>();
  let settled = check(draft, directory);
  // Each round takes a value out, so there is an end.
  for (;;) {
    const next = without(settled.draft, settled.problems, tried);
    if (next === undefined) return settled;
    settled = check(next, directory);
  }
}

function check(draft: Draft, directory: string): Settled {
  const text = renderDraft(draft);
  try {
    const { warnings } = parseCluster(text, { path: 'cluster.yaml', directory });
    return { draft, text, problems: ofHosts(draft, text), warnings };
  } catch (error) {
    if (!isClusterFileError(error)) throw error;
    const isError = ({ severity }: Problem) => severity === 'error';
    return {
      draft,
      text,
      problems: [...error.problems.filter(isError), ...ofHosts(draft, text)],
      warnings: error.problems.filter((each) => !isError(each)),
    };
  }
}

/** What the source leaves open, which the file by itself does not show. */
function ofHosts({ problem }: Draft, text: string): Problem[] {
  if (problem === undefined) return [];
  const line = text.split('\n').indexOf('  hosts:') + 1;
  const place = { file: 'cluster.yaml', line, column: 3, path: 'spec.hosts' };
  return [{ severity: 'error', code: 'etcd-elsewhere', ...place, message: problem, found: '', expected: '' }];
}

/**
 * The draft without the first setting that is in the way, or with another one in its place; undefined when there is none.
 *
 * @param tried networks that were chosen here; this one is added
 */
function without(draft: Draft, problems: Problem[], tried: Set<string>): Draft | undefined {
  for (const problem of problems) {
    const changed = withOtherWay(draft, problem);
    if (changed !== undefined) return changed;
    const key = settingOf(problem, draft.settings);
    const value = key === undefined ? undefined : draft.settings[key];
    if (key !== undefined && value !== undefined && !tried.has(String(value))) return leftOut(draft, key, problem);
    if (key !== 'podSubnet' && key !== 'serviceSubnet') continue;
    const network = OTHER_SUBNETS[key].find((each) => !tried.has(each));
    if (network !== undefined) return withNetwork(draft, key, network, tried.add(network));
  }
  return undefined;
}

function withNetwork(draft: Draft, key: keyof typeof OTHER_SUBNETS, network: string, tried: Set<string>): Draft {
  const note = (each: string): string => `${key} is ${each}: the usual network is the hosts' own, or too small`;
  const others = draft.notes.filter((each) => ![...tried].some((one) => each === note(one)));
  return { ...draft, settings: { ...draft.settings, [key]: network }, notes: [...others, note(network)] };
}

/** Two hosts that are reached in the same way, or one through itself: the second one keeps no way, or no bastion. */
function withOtherWay(draft: Draft, { code, path, message }: Problem): Draft | undefined {
  const index = Number(/^spec\.hosts\[(\d+)\]/.exec(path)?.[1]);
  const host = draft.hosts[index];
  if (host === undefined || (code !== 'duplicate-ssh' && code !== 'own-bastion')) return undefined;
  const what = code === 'own-bastion' ? 'bastion' : 'address';
  const ssh = { ...host.ssh, [what]: undefined };
  // Without an SSH address of its own, the address itself leads to another host.
  const isOwn = what === 'address' && host.ssh.address === undefined;
  const changed: DraftHost = { ...host, ssh, address: isOwn ? undefined : host.address };
  const line = oneLine(`${isOwn ? '' : 'SSH '}${what} of ${host.name}: ${message}`);
  return { ...draft, hosts: draft.hosts.with(index, changed), leftOut: [...draft.leftOut, line] };
}

/** The setting of the draft that a problem is about. */
function settingOf({ path, code, message }: Problem, settings: DraftSettings): keyof DraftSettings | undefined {
  const [, whose] = /^the network of the (pods|services) /.exec(code === 'networks-overlap' ? message : '') ?? [];
  if (whose !== undefined) return whose === 'pods' ? 'podSubnet' : 'serviceSubnet';
  const [, section = '', key = ''] = /^spec\.(kubernetes|endpoint)(?:\.(\w+))?/.exec(path) ?? [];
  const isOfVip =
    settings.vip !== undefined && (section === 'endpoint' || ['outside-vip-subnet', 'address-is-edge'].includes(code));
  if (settings.external !== undefined && section === 'endpoint') return 'external';
  if (isOfVip) return key === 'prefixLength' ? 'prefixLength' : 'vip';
  return (['version', 'podSubnet', 'serviceSubnet', 'dnsDomain', 'certificateSANs'] as const).find(
    (each) => each === key,
  );
}

/** One name for certificates that is none: the others stay. */
function withoutName(draft: Draft, at: number, { message, expected }: Problem): Draft {
  const { certificateSANs = [], ...settings } = draft.settings;
  const line = `certificateSANs ${certificateSANs[at]}: ${message}${expected === '' ? '' : ` (expected ${expected})`}`;
  const others = certificateSANs.toSpliced(at, 1);
  return {
    ...draft,
    settings: { ...settings, ...(others.length > 0 && { certificateSANs: others }) },
    leftOut: [...draft.leftOut, oneLine(line)],
  };
}

function leftOut(draft: Draft, key: keyof DraftSettings, problem: Problem): Draft {
  const { message, expected } = problem;
  const name = Number(/^spec\.kubernetes\.certificateSANs\[(\d+)\]/.exec(problem.path)?.[1] ?? -1);
  if (draft.settings.certificateSANs?.[name] !== undefined) return withoutName(draft, name, problem);
  const line = `${key} ${showValue(draft.settings[key])}: ${message}${expected === '' ? '' : ` (expected ${expected})`}`;
  // With the VIP goes what was known of its subnet: the subnet may be what was wrong.
  const settings = { ...draft.settings, [key]: undefined, ...(key === 'vip' && { prefixLength: undefined }) };
  return { ...draft, settings, leftOut: [...draft.leftOut, oneLine(line)] };
}
