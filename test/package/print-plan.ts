// What a script outside of the clone does with the package and nothing else: read a file, check it, plan, print.
import { loadCluster, planInstall, type Step, VERSION } from 'kubewright';

const { cluster, warnings } = await loadCluster('cluster.yaml');
const plan: Step[] = planInstall(cluster);
console.log(`kubewright ${VERSION}: ${cluster.name}, ${plan.length} steps, ${warnings.length} warnings`);
