import type { LabHost } from '../../lab/hosts/index.js';
import type { LabCluster } from '../../lab/probes/cluster.js';
import type { Gap } from '../api-probe.js';
import { measureGaps } from '../failover.js';
import type { FaultKey } from './faults.js';
import { putLeader } from './leader.js';
import type { Topology } from './topologies.js';
import { waitUntilWhole } from './whole.js';

/**
 * How one fault ended: gaps by kind of request, with the machine's load average over the minute before they were known, or
 * why they could not be measured.
 */
export type Outcome = { gaps: Gap[]; load: number } | { failed: string };

/** What is done to a cluster, and how it is undone. */
interface Blow {
  act: () => Promise<void>;
  mend: () => Promise<void>;
  /** Whom it meets, for whoever reads along. */
  meets: string;
}

/** Five seconds of answers: what goes wrong a little later belongs to the fault as well. */
const STEADY = 50;

const nothing = async (): Promise<void> => {};

/**
 * Brings one fault over a whole cluster, measures it, and waits until the cluster is whole again.
 *
 * @throws Error when the API never answered steadily or the cluster did not get whole again
 */
export async function strike(cluster: LabCluster, topology: Topology, key: FaultKey): Promise<Gap[]> {
  await waitUntilWhole(cluster, topology);
  const { act, mend, meets } = await BLOWS[key](cluster, topology);
  console.log(`${topology.key}: ${key}: ${meets}`);
  let measured: Awaited<ReturnType<typeof measureGaps>>;
  try {
    measured = await measureGaps(cluster.kubeconfig, act, STEADY);
  } finally {
    await mend();
  }
  if (!measured.isSteady) throw new Error('the API did not answer steadily within a minute after the fault');
  return measured.gaps;
}

const BLOWS: Record<FaultKey, (cluster: LabCluster, topology: Topology) => Promise<Blow>> = {
  none: async () => ({ act: nothing, mend: nothing, meets: 'nobody' }),

  'api-server': async (cluster) => {
    const host = await holderOr(cluster);
    const led = await putLeader(cluster, (each) => each !== host);
    const act = async () => {
      await host.exec('kill -9 $(pgrep -x kube-apiserver)');
    };
    return { act, mend: nothing, meets: `${host.name}; ${led.name} leads etcd` };
  },

  haproxy: async (cluster, { haproxy }) => {
    const host = await holderOr(cluster);
    const exec = (script: string) => async () => {
      await host.exec(script);
    };
    return haproxy === 'service'
      ? { act: exec('systemctl stop haproxy'), mend: exec('systemctl start haproxy'), meets: host.name }
      : { act: exec('kill -9 $(pgrep -x haproxy)'), mend: nothing, meets: host.name };
  },

  holder: async (cluster) => {
    const host = await holderOr(cluster);
    const led = await putLeader(cluster, (each) => each !== host);
    return powerOf(host, `${host.name}; ${led.name} leads etcd`);
  },

  'holder-leads': async (cluster) => {
    const host = await holderOr(cluster);
    await putLeader(cluster, (each) => each === host);
    return powerOf(host, `${host.name}, which leads etcd`);
  },

  server: async (cluster) => {
    const held = await holderOr(cluster);
    const [host] = cluster.controlPlanes().filter((each) => each !== held);
    if (host === undefined) throw new Error('there is one control plane only');
    const led = await putLeader(cluster, (each) => each !== host);
    return powerOf(host, `${host.name}; ${led.name} leads etcd`);
  },

  leader: async (cluster) => {
    const held = await holderOr(cluster);
    const host = await putLeader(cluster, (each) => each !== held);
    return powerOf(host, host.name);
  },

  director: async (cluster) => {
    const [host] = await cluster.vipHolders();
    if (host === undefined) throw new Error('no director has the virtual IP');
    return powerOf(host, host.name);
  },
};

function powerOf(host: LabHost, meets: string): Blow {
  return { act: () => host.powerOff(), mend: () => host.powerOn(), meets };
}

/** The control plane with the virtual IP; where none has it, the first one. */
async function holderOr(cluster: LabCluster): Promise<LabHost> {
  const holders = await cluster.vipHolders();
  const host = holders.find(({ role }) => role === 'control-plane') ?? cluster.controlPlanes()[0];
  if (host === undefined) throw new Error('there is no control plane');
  return host;
}
