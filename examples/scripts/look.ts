// Tells what stands in the way of an install, host by host; changes nothing and needs no Temporal server.
//
//   node examples/scripts/look.ts cluster.yaml        (Node 24; with Node 20 or 22: npx tsx examples/scripts/look.ts …)
import { loadCluster, lookAtCluster } from 'kubewright';

export async function main([file = 'cluster.yaml']: string[], print: (line: string) => void): Promise<number> {
  const { cluster, places } = await loadCluster(file);
  const findings = await lookAtCluster({ ...cluster, places });
  let problems = 0;
  for (const finding of findings) {
    if (finding.state !== 'problem') continue;
    problems += 1;
    const { code, message, hint } = finding.error;
    print(`${finding.step.id}: ${code} ${message}`);
    if (hint !== undefined) print(`  ${hint}`);
  }
  const toDo = findings.filter(({ state }) => state === 'to-do').length;
  print(`${cluster.name}: ${findings.length} steps, ${toDo} to do, ${problems} in the way`);
  return problems === 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2), console.log);
