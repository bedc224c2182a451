// A worker in small, as a process of its own that a test can kill: runs one durable command and prints its output.
// Arguments: cluster.yaml, the host's name, and the command's id, script and options as JSON.
import { homedir } from 'node:os';
import { loadCluster } from '../../dist/src/cluster/load.js';
import { createHosts } from '../../dist/src/hosts/index.js';

const [file, name, command] = process.argv.slice(2);
const { cluster } = await loadCluster(file);
const hosts = createHosts(cluster, { env: process.env, homeDirectory: homedir() });
const result = await hosts.get(name).runDurable({ ...JSON.parse(command), onOutput: (line) => console.log(line) });
console.log(JSON.stringify(result));
await hosts.close();
