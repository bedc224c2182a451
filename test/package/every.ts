// A script that uses each function, and two mistakes: types that came out as `any` would take them. It is compiled only.
import * as k from 'kubewright';

const { cluster, places, warnings }: k.LoadedCluster = await k.loadCluster('cluster.yaml');
console.log(
  k.parseCluster('', { path: 'cluster.yaml', directory: '.' }).warnings.map(k.formatProblem),
  warnings.length,
);
const findings: k.Finding[] = await k.lookAtCluster(
  { ...cluster, places },
  { onFinding: ({ step }) => console.log(step.id) },
);
const refused: k.Difference[] = findings.flatMap(({ comparison }) => comparison?.differences ?? []);
const { content, host }: k.Kubeconfig = await k.fetchKubeconfig(cluster, { env: process.env });
console.log(
  refused.map(({ key, verdict }) => key + verdict),
  content,
  host,
  k.clusterJsonSchema().properties,
  k.VERSION,
);
console.log(
  k.planInstall(cluster).map((step: k.Step) => step.title),
  k.differences(cluster, cluster),
);

const engine: k.Engine = await k.connect({ address: '127.0.0.1:7233' } satisfies k.ConnectOptions);
const server: k.EmbeddedServer | undefined = engine.server;
try {
  const options: k.EnsureWorkerOptions = { needs: k.needsOf(cluster), replace: true };
  await k.startRun(engine, k.prepareInstall(cluster));
  const worker: k.WorkerProcess = await k.ensureWorker(engine, options);
  for await (const { activities } of k.watchRun(engine, cluster.name)) {
    console.log(Object.values(activities).map((activity: k.StepActivity) => activity.line));
  }
  await k.decide(engine, cluster.name, 'skip', { reason: 'it burns' });
  await k.endRun(engine, cluster.name, undefined);
  console.log((await k.describeRun(engine, cluster.name)).status, worker.pid);
  console.log(await k.listRuns(engine, { latest: true } satisfies k.ListOptions), await k.workerStatus(engine));
  await k.stopWorker(engine);
} catch (error) {
  if (error instanceof k.PlanConflictError) console.log((error.running satisfies k.RunInput).build);
  if (k.isClusterFileError(error)) console.log(error.problems);
  if (k.isKubewrightError(error)) console.log(error.code, error.hint, server?.uiUrl);
}
const state = k.stateDirectory(process.env);
console.log(await k.serverStatus(state), await k.listWorkers(state), await k.stopWorkers(state, () => true));
await k.stopServer(state);
await k.runWorker({ signal: AbortSignal.timeout(1_000) });

const tell = (line: k.PrintedObject): string => (line.type === 'blocked' ? line.cluster + line.hint : line.time);
console.log(new k.KubewrightError('KW999', 'no'), new k.ClusterFileError('x', []), tell(JSON.parse('{}')));

// @ts-expect-error a name is no cluster
await k.lookAtCluster('demo');
// @ts-expect-error there is no such state
engine.client.workflow.noSuchThing();
