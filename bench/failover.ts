import type { Lab, LabHost } from '../lab/hosts/index.js';
import { etcdStatus } from '../lab/probes/etcd.js';
import { ApiProbe, type Gap } from './api-probe.js';

/** Gaps of one event, by kind of request. */
export interface Failover {
  event: string;
  /** Whether the VIP's holder was etcd's leader too: then reads and writes wait for an election as well. */
  holderLed: boolean;
  gaps: Gap[];
}

const STEADY = 20;
const LIMIT_MS = 60_000;

/** The host that has the VIP, asked of every host's own kernel. */
export async function holderOf(lab: Lab): Promise<LabHost> {
  for (const host of lab.hosts.filter(({ role }) => role === 'control-plane')) {
    if ((await host.initPid()) === undefined) continue;
    const { stdout } = await host.exec(`ip -o -4 address show to ${lab.vip}`);
    if (stdout.trim() !== '') return host;
  }
  throw new Error(`no host of lab ${lab.name} holds ${lab.vip}`);
}

/** Takes the power of the VIP's holder and gives it back when the gap is over. */
export async function loseHolder(lab: Lab, kubeconfig: string): Promise<Failover> {
  const holder = await holderOf(lab);
  return measure(
    kubeconfig,
    holder,
    'holder of the VIP loses power',
    () => holder.powerOff(),
    () => holder.powerOn(),
  );
}

/** Kills the API server of the VIP's holder and nothing else; its kubelet starts it again. */
export async function loseApiServer(lab: Lab, kubeconfig: string): Promise<Failover> {
  const holder = await holderOf(lab);
  const kill = async () => {
    await holder.exec('kill -9 $(pgrep -x kube-apiserver)');
  };
  return measure(kubeconfig, holder, "only the holder's API server dies", kill, async () => {});
}

async function measure(
  kubeconfig: string,
  holder: LabHost,
  event: string,
  act: () => Promise<void>,
  mend: () => Promise<void>,
): Promise<Failover> {
  const status = await etcdStatus(holder, '/etc/kubernetes/pki/etcd');
  const { gaps } = await measureGaps(kubeconfig, act);
  await mend();
  return { event, holderLed: status !== undefined && status.member === status.leader, gaps };
}

/**
 * Asks the API ten times a second while something is done to its cluster, from a moment in which it answers steadily until
 * it does so again.
 *
 * @param times how many answers in a row count as steady afterwards
 * @returns what was seen, and whether it answered steadily again within a minute
 * @throws Error when it was not steady within a minute before
 */
export async function measureGaps(
  kubeconfig: string,
  act: () => Promise<void>,
  times = STEADY,
): Promise<{ gaps: Gap[]; isSteady: boolean }> {
  const probe = new ApiProbe(kubeconfig);
  probe.start();
  try {
    if (!(await probe.steady(STEADY, 0, LIMIT_MS))) throw new Error('the API did not answer steadily before the fault');
    const since = Date.now();
    await act();
    const isSteady = await probe.steady(times, since + 500, LIMIT_MS);
    return { gaps: await probe.stop(), isSteady };
  } finally {
    await probe.stop();
  }
}
