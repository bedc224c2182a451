import type { Lab, LabHost } from '../lab/hosts/index.js';
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

async function isLeader(host: LabHost): Promise<boolean> {
  const pki = '/etc/kubernetes/pki/etcd';
  const { stdout } = await host.exec(
    `etcdctl --endpoints=https://127.0.0.1:2379 --cacert=${pki}/ca.crt --cert=${pki}/healthcheck-client.crt --key=${pki}/healthcheck-client.key endpoint status -w simple`,
    { allowFailure: true },
  );
  return stdout.split(', ')[4] === 'true';
}

/** Takes the power of the VIP's holder and gives it back when the gap is over. */
export async function loseHolder(lab: Lab, kubeconfig: string): Promise<Failover> {
  const holder = await holderOf(lab);
  return measure(
    lab,
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
  return measure(lab, kubeconfig, holder, "only the holder's API server dies", kill, async () => {});
}

async function measure(
  lab: Lab,
  kubeconfig: string,
  holder: LabHost,
  event: string,
  act: () => Promise<void>,
  mend: () => Promise<void>,
): Promise<Failover> {
  const holderLed = await isLeader(holder);
  const probe = new ApiProbe(kubeconfig);
  probe.start();
  if (!(await probe.steady(STEADY, 0, LIMIT_MS)))
    throw new Error(`the API of lab ${lab.name} was not steady before: ${event}`);
  const since = Date.now();
  await act();
  await probe.steady(STEADY, since + 500, LIMIT_MS);
  const gaps = await probe.stop();
  await mend();
  return { event, holderLed, gaps };
}
