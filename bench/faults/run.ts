import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { programOf } from '../../lab/artifacts/programs.js';
import { type Lab, labUp } from '../../lab/hosts/index.js';
import { Balancer } from '../../lab/probes/balancer.js';
import { LabCluster } from '../../lab/probes/cluster.js';
import { ensureBundle } from '../../src/artifacts/bundle.js';
import { machineArchitecture } from '../../src/artifacts/recipes.js';
import { readBundle } from '../../src/bundle/bundle.js';
import { apiServerPort } from '../../src/cluster/chosen-ports.js';
import { DEFAULTS } from '../../src/cluster/defaults.js';
import { loadCluster } from '../../src/cluster/load.js';
import { PROGRAM, timed } from '../shell.js';
import { FAULTS, type FaultKey } from './faults.js';
import { type Outcome, strike } from './strike.js';
import { BALANCER_PORT, type Topology, writeClusterFile } from './topologies.js';

/** All that one topology showed. */
export interface Measured {
  topology: Topology;
  hosts: number;
  /** Wall time of the command; undefined when it failed. */
  installSeconds?: number;
  outcomes: Partial<Record<FaultKey, Outcome>>;
  /** What ended its measurement early. */
  failed?: string;
}

const NODE = process.execPath;

/**
 * Makes a lab of the topology, installs, measures each of its faults, and takes the lab down. A failure ends the
 * measurement of this topology and is part of what is returned.
 *
 * @param state directory for the topology's own Temporal server
 */
export async function measureTopology(topology: Topology, state: string): Promise<Measured> {
  const measured: Measured = { topology, hosts: 0, outcomes: {} };
  await rm(state, { recursive: true, force: true });
  try {
    const lab = await labUp({ name: topology.lab, replace: true, ...topology.options });
    try {
      measured.hosts = lab.hosts.length;
      await onLab(lab, measured, state);
    } finally {
      await timed(NODE, [PROGRAM, '--state-dir', state, 'server', 'stop']).catch(() => undefined);
      await lab.down();
    }
  } catch (error) {
    measured.failed = inOneLine(error);
    console.error(`${topology.key}:`, error);
  }
  return measured;
}

async function onLab(lab: Lab, measured: Measured, state: string): Promise<void> {
  const { topology } = measured;
  await writeClusterFile(topology, lab);
  const balancer = topology.address === 'external' ? await balancerFor(lab) : undefined;
  try {
    measured.installSeconds = await install(topology, lab, state);
    console.log(`${topology.key}: ${lab.hosts.length} hosts, installed in ${measured.installSeconds.toFixed(0)} s`);
    const cluster = await clusterIn(lab, topology, state);
    // The cluster alone is measured: nothing of the installer runs beside it.
    await timed(NODE, [PROGRAM, '--state-dir', state, 'server', 'stop']);
    await measureFaults(cluster, measured);
  } finally {
    await balancer?.stop();
  }
}

async function measureFaults(cluster: LabCluster, { topology, outcomes }: Measured): Promise<void> {
  for (const { key, what } of FAULTS.filter(({ absent }) => absent(topology) === undefined)) {
    try {
      const gaps = await strike(cluster, topology, key);
      const [load = 0] = loadavg();
      outcomes[key] = { gaps, load };
      const shown = gaps.map(({ kind, silentMs, failed }) => `${kind} ${silentMs} ms (${failed} failed)`);
      console.log(`${topology.key}: ${what}: ${shown.join(', ')}; load ${load.toFixed(1)}`);
    } catch (error) {
      outcomes[key] = { failed: inOneLine(error) };
      throw error;
    }
  }
}

/** What a table has room for: a failed command brings all of its output. */
function inOneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

/** A balancer on this machine that knows nothing of health: who does not take a connection within a second is passed over. */
async function balancerFor(lab: Lab): Promise<Balancer> {
  const servers = lab.hosts.filter(({ role }) => role === 'control-plane').map(({ address }) => address);
  return await Balancer.start(lab.record.plan.subnet.gateway, BALANCER_PORT, servers);
}

async function install(topology: Topology, lab: Lab, state: string): Promise<number> {
  const { seconds } = await timed(NODE, [PROGRAM, '--state-dir', state, 'install', lab.files.clusterFile], {
    ...(topology.installLimitMs === undefined ? {} : { timeoutMs: topology.installLimitMs }),
    onLine: (line) => console.log(`install  ${line}`),
  });
  return seconds;
}

async function clusterIn(lab: Lab, { etcdPki }: Topology, state: string): Promise<LabCluster> {
  const { clusterFile } = lab.files;
  const kubeconfig = join(state, 'admin.kubeconfig');
  await timed(NODE, [PROGRAM, '--state-dir', state, 'kubeconfig', clusterFile, '--output', kubeconfig]);
  const arch = machineArchitecture() ?? 'amd64';
  const bundle = await readBundle(await ensureBundle({ version: DEFAULTS.kubernetes.version, arch }));
  const { cluster } = await loadCluster(clusterFile);
  const ports = { endpoint: cluster.endpoint.port, apiServer: apiServerPort(cluster) };
  const found = new LabCluster(lab, await programOf(bundle, 'bin/kubectl'), kubeconfig, ports);
  if (etcdPki !== undefined) found.etcdPki = etcdPki;
  return found;
}
