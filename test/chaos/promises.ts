import type { LabHost } from '../../lab/hosts/index.js';
import type { Installed } from '../lab/support/installed.js';

/** What makes a cluster the one that it is: a second `kubeadm init` would give it others. */
export interface Identity {
  /** SHA-256 of the CA certificate, by control plane. */
  authorities: Record<string, string>;
  /** UID of the namespace kube-system; undefined before there is an API. */
  cluster: string | undefined;
}

/** Looks at the hosts themselves, also at those that are cut off; one without power is left out. */
export async function identityOf(cluster: Installed): Promise<Identity> {
  const authorities: Record<string, string> = {};
  let uid: string | undefined;
  for (const host of cluster.controlPlanes()) {
    if ((await host.initPid()) === undefined) continue;
    const { stdout } = await host.exec(
      `sha256sum </etc/kubernetes/pki/ca.crt 2>/dev/null | cut -c 1-64
       kubectl --kubeconfig=/etc/kubernetes/super-admin.conf --server=https://${host.address}:6443 --request-timeout=2s \\
         get namespace kube-system -o 'jsonpath={.metadata.uid}' 2>/dev/null`,
      { allowFailure: true },
    );
    const [authority = '', seen = ''] = stdout.split('\n');
    if (/^[0-9a-f]{64}$/.test(authority)) authorities[host.name] = authority;
    if (/^[0-9a-f-]{36}$/.test(seen)) uid ??= seen;
  }
  return { authorities, cluster: uid };
}

/** Where the second identity is not that of the first, one sentence each. What either does not know is no difference. */
export function changesOf(before: Identity, after: Identity): string[] {
  const changed = Object.entries(before.authorities)
    .filter(([name, authority]) => after.authorities[name] !== undefined && after.authorities[name] !== authority)
    .map(([name]) => `the CA certificate on ${name} is another one: a second kubeadm init`);
  const uids = [before.cluster, after.cluster];
  if (!uids.includes(undefined) && uids[0] !== uids[1]) changed.push('kube-system has another UID: a second cluster');
  return changed;
}

/** How often systemd on a host started and ended well what carries out init and join, by its journal. */
export interface CommandCount {
  host: string;
  command: 'init' | 'join';
  started: number;
  succeeded: number;
}

/** Counts what must not happen twice, from the journals of the hosts. */
export async function countCommands(cluster: Installed): Promise<CommandCount[]> {
  const counts: CommandCount[] = [];
  for (const host of cluster.nodes()) {
    const { stdout } = await host.exec("journalctl --quiet --output=cat _PID=1 | grep -F 'kubewright-cluster-' || :");
    for (const command of ['init', 'join'] as const) {
      const lines = stdout.split('\n').filter((line) => line.includes(`-${host.name}-${command}-${command}-`));
      const started = lines.filter((line) => line.startsWith('Started ')).length;
      const succeeded = lines.filter((line) => line.endsWith('Deactivated successfully.')).length;
      if (started > 0) counts.push({ host: host.name, command, started, succeeded });
    }
  }
  return counts;
}

/**
 * What an interrupted install must not leave, asked of the hosts and of the cluster.
 *
 * @param lostPower names of the hosts whose power was cut: what ran there then did not end, and may have been done
 * @returns one sentence for each promise that is broken
 */
export async function brokenPromises(
  cluster: Installed,
  first: Identity,
  lostPower: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  await cluster.fetchKubeconfig();
  const broken: string[] = [];
  if (!(await cluster.whole())) broken.push('not all nodes are Ready with API servers and etcd members in health');
  broken.push(...(await brokenMembers(cluster)));
  const holders = await cluster.vipHolders();
  if (holders.length !== 1) broken.push(`${holders.length} hosts have the VIP`);
  const identity = await identityOf(cluster);
  broken.push(...changesOf(first, identity));
  const authorities = new Set(Object.values(identity.authorities));
  if (authorities.size !== 1) broken.push(`the control planes have ${authorities.size} different CAs`);
  const tokens = await cluster.joinTokens();
  if (tokens.length > 0) broken.push(`tokens of joins are left: ${tokens.join(', ')}`);
  broken.push(...miscounted(cluster, await countCommands(cluster), lostPower));
  broken.push(...(await Promise.all(cluster.lab.hosts.map(leftOn))).flat());
  return broken;
}

/**
 * Each node came into the cluster by one command that ended well: the first control plane by init, all others by join.
 * Only where the power went may a command have done its work and not lived to end; then none ended well after it either.
 */
function miscounted(cluster: Installed, counts: CommandCount[], lostPower: ReadonlySet<string>): string[] {
  const wanted = cluster.nodes().map(({ name }, index) => ({ host: name, command: index === 0 ? 'init' : 'join' }));
  const countOf = ({ host, command }: { host: string; command: string }): CommandCount | undefined =>
    counts.find((count) => count.host === host && count.command === command);
  const strange = counts.filter((count) => !wanted.some((want) => countOf(want) === count));
  return [
    ...strange.map(({ host, command }) => `${command} ran on ${host}`),
    ...wanted.flatMap((want) => {
      const { started, succeeded } = countOf(want) ?? { started: 0, succeeded: 0 };
      if (succeeded === 1 || (succeeded === 0 && started > 0 && lostPower.has(want.host))) return [];
      return [`${want.command} on ${want.host} started ${started} times and ended well ${succeeded} times, not once`];
    }),
  ];
}

async function brokenMembers(cluster: Installed): Promise<string[]> {
  const hosts = cluster.members();
  const [via] = hosts;
  if (via === undefined) return ['there is no etcd'];
  const members = await cluster.etcdMembers(via);
  const found = members.map(([, status, name]) => `${status} ${name}`).sort();
  const wanted = hosts.map(({ name }) => `started ${name}`).sort();
  const broken = found.join() === wanted.join() ? [] : [`etcd has the members ${found.join(', ')}`];
  const learners = members.filter((member) => member.at(-1) !== 'false');
  return learners.length === 0 ? broken : [...broken, `${learners.length} members of etcd are learners`];
}

/** Units that still run, and a lock that somebody still holds. */
async function leftOn(host: LabHost): Promise<string[]> {
  const { stdout } = await host.exec(`
    systemctl list-units --plain --no-legend --state=running,activating 'kubewright-*' | sed 's/^/still runs: /'
    [ ! -e /run/kubewright/host.lock ] || flock --nonblock /run/kubewright/host.lock true || echo 'the lock is held'
    for secrets in /run/kubewright/kubewright-*; do [ ! -e "$secrets" ] || echo "secrets are left: $secrets"; done`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${host.name}: ${line}`);
}
