// A worker in small, for a test that kills it: logs in with the system's `ssh`, says so, and goes on until it is ended.
// Arguments: the cluster as JSON, its home directory, and a command for the host.
import { createHosts } from '../../../../src/hosts/index.js';

const [cluster = '', homeDirectory = '', command = ''] = process.argv.slice(2);
const hosts = createHosts(JSON.parse(cluster), { env: process.env, homeDirectory });
const host = hosts.get('cp-1');
await host.run('true', { root: false });
console.log('connected');
await host.run(command, { root: false, timeoutMs: 600_000 });
