// Installs a cluster and tells somebody when a step needs a person: a line here, a message to a chat in real life.
//
//   node examples/scripts/install.ts cluster.yaml     (Node 24; with Node 20 or 22: npx tsx examples/scripts/install.ts …)
import { type BlockedStep, connect, ensureWorker, loadCluster, prepareInstall, startRun, watchRun } from 'kubewright';

export async function main([file = 'cluster.yaml']: string[], print: (line: string) => void): Promise<number> {
  const { cluster } = await loadCluster(file);
  const engine = await connect();
  try {
    await startRun(engine, prepareInstall(cluster));
    const worker = await ensureWorker(engine);
    try {
      const told = new Set<number>();
      for await (const { progress, status, result, failure } of watchRun(engine, cluster.name)) {
        for (const step of progress.blocked.filter(({ blocking }) => !told.has(blocking))) {
          told.add(step.blocking);
          tell(step, print);
        }
        if (status === 'completed') print(`${cluster.name} is installed; ${result?.changed} steps changed something`);
        else if (status !== 'running') print(`${cluster.name}: ${failure?.message ?? status}`);
        if (status !== 'running') return status === 'completed' ? 0 : 1;
      }
      return 1;
    } finally {
      await worker.leave();
    }
  } finally {
    await engine.close();
  }
}

function tell(step: BlockedStep, print: (line: string) => void): void {
  print(`${step.step} needs a person: ${step.message}`);
  print(`  ${step.hint}`);
  print(`  then: kubewright retry ${step.step}`);
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2), console.log);
