import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { DefaultLogger, type LogEntry, Runtime } from '@temporalio/worker';
import { inject } from 'vitest';
import type { Cluster, ClusterHost, Role } from '../../src/cluster/types.js';
import { connect } from '../../src/engine/connect.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import type { Engine, RunSnapshot } from '../../src/engine/types.js';
import { planInstall } from '../../src/plan/install.js';
import type { Step } from '../../src/plan/types.js';
import { runWorker } from '../../src/worker.js';
import type { FakeActivities } from './fake-activities.js';

/** What workers of this process have logged. */
export const logged: LogEntry[] = [];

// Blocked and aborted installs are what these tests are about; the SDK warns of each, and only errors are shown.
const shown = new DefaultLogger('ERROR');
Runtime.install({
  logger: new DefaultLogger('INFO', (entry) => {
    logged.push(entry);
    shown.log(entry.level, entry.message, entry.meta);
  }),
});

/** An engine on the shared server with a task queue of its own, so that test files do not work for one another. */
export async function testEngine(env: Record<string, string> = {}): Promise<TestEngine> {
  const queue = `test-${randomUUID()}`;
  const full = { ...process.env, TEMPORAL_ADDRESS: inject('temporalAddress'), KUBEWRIGHT_TASK_QUEUE: queue, ...env };
  const engine = await connect({ env: full, stateDir: tmpdir(), identity: 'anna@test' });
  return { ...engine, env: full };
}

export interface TestEngine extends Engine {
  env: NodeJS.ProcessEnv;
}

/** A worker in this process. */
export class TestWorker {
  private constructor(
    private readonly stopping: AbortController,
    private readonly ended: Promise<void>,
  ) {}

  /** @param bundle another bundle of workflows than the present one */
  static async start(engine: TestEngine, fakes: FakeActivities, bundle?: string): Promise<TestWorker> {
    const stopping = new AbortController();
    let ready = (): void => {};
    const isReady = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const activities = fakes.registered();
    // With a payload key the failure converter must be in the bundle: it is bundled on the way then.
    const present = engine.dataConverter === undefined ? inject('workflowBundle') : undefined;
    const workflowBundle = bundle ?? present;
    const how = { env: engine.env, stateDir: engine.stateDir, activities, workflowBundle };
    const ended = runWorker({ ...how, signal: stopping.signal, onReady: ready });
    await Promise.race([isReady, ended]);
    return new TestWorker(stopping, ended);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
  }
}

function host(name: string, role: Role, last: number): ClusterHost {
  const address = `10.88.0.${last}`;
  const ssh = { address, port: 22, user: 'root', keyFiles: [], agent: false, configFile: null };
  const rest = {
    knownHostsFile: '~/.ssh/known_hosts',
    hostKeys: 'strict' as const,
    bastion: null,
    sudoPasswordEnv: null,
  };
  return { name, address, role, labels: {}, taints: null, ssh: { ...ssh, ...rest } };
}

/** A cluster of two control planes and two workers under a name that no other test uses. */
export function testCluster(name = `c-${randomUUID().slice(0, 8)}`): Cluster {
  const noArgs = { extraArgs: [] };
  return {
    name,
    kubernetes: {
      version: '1.34.3',
      podSubnet: '10.244.0.0/16',
      serviceSubnet: '10.96.0.0/12',
      dnsDomain: 'cluster.local',
      certificateSANs: [],
      apiServer: noArgs,
      controllerManager: noArgs,
      scheduler: noArgs,
      kubelet: { config: {}, extraArgs: [] },
      kubeProxy: { config: {} },
      patches: [],
      ignorePreflightErrors: [],
    },
    endpoint: {
      vip: '10.88.0.100',
      port: 8443,
      prefixLength: 24,
      interface: null,
      virtualRouterId: 100,
      advertIntervalMs: 200,
    },
    loadBalancer: { type: 'haproxy-keepalived', source: 'bundle' },
    etcd: { topology: 'stacked', extraArgs: [] },
    runtime: { type: 'containerd', source: 'bundle', config: {} },
    network: { plugin: 'flannel', backend: {} },
    packages: { source: 'bundle', bundle: null, proxy: null },
    preflight: { ignore: [] },
    sysctls: {},
    hosts: [
      host('cp-1', 'control-plane', 11),
      host('cp-2', 'control-plane', 12),
      host('w-1', 'worker', 21),
      host('w-2', 'worker', 22),
    ],
  };
}

/** A small plan by hand: `step('a')`, `step('b', ['a'])`. */
export function step(id: string, needs: string[] = [], fields: Partial<Step> = {}): Step {
  const host = id.includes('/') && !id.startsWith('cluster/') ? (id.split('/')[0] ?? null) : null;
  const skippable = host?.startsWith('w-') ?? false;
  const base = { id, phase: 'prepare' as const, action: 'prepareSystem' as const, host, title: `Do ${id}`, needs };
  return { ...base, timeoutMinutes: 5, skippable, ...fields };
}

export interface StartedTest {
  cluster: Cluster;
  workflowId: string;
  runId: string;
}

/** Starts an install of a fresh cluster; with the project's own plan unless one is given. */
export async function startTest(
  engine: Engine,
  plan?: Step[],
  planHash = 'hash',
  patienceMs?: number,
): Promise<StartedTest> {
  const cluster = testCluster();
  const steps = plan ?? planInstall(cluster);
  const started = await startRun(engine, { cluster, plan: steps, planHash, build: '0.1.0', patienceMs });
  return { cluster, ...started };
}

/** Waits for a snapshot of which something is true; the test's own time limit bounds it. */
export async function until(
  engine: Engine,
  cluster: string,
  holds: (snapshot: RunSnapshot) => boolean,
): Promise<RunSnapshot> {
  for (;;) {
    const snapshot = await describeRun(engine, cluster);
    if (holds(snapshot)) return snapshot;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function blocked(count = 1): (snapshot: RunSnapshot) => boolean {
  return (snapshot) => snapshot.progress.blocked.length === count;
}

export function closed(snapshot: RunSnapshot): boolean {
  return snapshot.status !== 'running';
}

export function stateOf(snapshot: RunSnapshot, id: string): string | undefined {
  return snapshot.progress.steps.find((candidate) => candidate.id === id)?.state;
}

/** Workers of the small plan in groups. */
export const GROUPED_HOSTS = ['w-1', 'w-2', 'w-3', 'w-4'];

/** Two groups of two hosts: each host is looked at, all are compared, the cluster begins, each host joins, all is verified. */
export function groupedPlan(): Step[] {
  const groupOf = (host: string): string => (['w-1', 'w-2'].includes(host) ? 'group-1' : 'group-2');
  const each = (verb: string, needs: (host: string) => string[]): Step[] =>
    GROUPED_HOSTS.map((host) => step(`${host}/${verb}`, needs(host), { group: groupOf(host) }));
  return [
    step('cp-1/look'),
    ...each('look', () => []),
    step('cluster/compare', ['cp-1/look', ...GROUPED_HOSTS.map((host) => `${host}/look`)]),
    ...each('prepare', () => ['cluster/compare']),
    step('cp-1/init', ['cluster/compare']),
    ...each('join', (host) => ['cp-1/init', `${host}/prepare`]),
    step(
      'cluster/verify',
      GROUPED_HOSTS.map((host) => `${host}/join`),
    ),
  ];
}

/** Starts an install of a control plane and of workers in two groups. */
export async function startGrouped(
  engine: Engine,
  options: { unreachableWorkers?: 'leave-out'; patienceMs?: number } = {},
): Promise<StartedTest> {
  const base = testCluster(`g-${randomUUID().slice(0, 8)}`);
  const [controlPlane, , worker] = base.hosts as [ClusterHost, ClusterHost, ClusterHost];
  const cluster = { ...base, hosts: [controlPlane, ...GROUPED_HOSTS.map((name) => ({ ...worker, name }))] };
  const started = await startRun(engine, {
    cluster,
    plan: groupedPlan(),
    planHash: 'hash',
    build: '0.1.0',
    ...options,
  });
  return { cluster, ...started };
}
