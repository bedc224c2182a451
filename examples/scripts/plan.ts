// Prints how many steps an install would take, phase by phase. Touches no host and needs no Temporal server.
//
//   node examples/scripts/plan.ts cluster.yaml        (Node 24; with Node 20 or 22: npx tsx examples/scripts/plan.ts …)
import { formatProblem, isClusterFileError, loadCluster, planInstall } from 'kubewright';

export async function main([file = 'cluster.yaml']: string[], print: (line: string) => void): Promise<number> {
  try {
    const { cluster, warnings } = await loadCluster(file);
    for (const warning of warnings) print(formatProblem(warning));
    const plan = planInstall(cluster);
    for (const phase of new Set(plan.map((step) => step.phase))) {
      const own = plan.filter((step) => step.phase === phase);
      print(`${phase}: ${own.map((step) => step.id).join(' ')}`);
    }
    print(`${cluster.name}: ${plan.length} steps on ${cluster.hosts.length} hosts`);
    return 0;
  } catch (error) {
    if (!isClusterFileError(error)) throw error;
    for (const problem of error.problems) print(formatProblem(problem));
    return 2;
  }
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2), console.log);
