import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, test } from 'vitest';
import { Facts, factsProgram } from '../../../../../src/activities/remote-facts.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { script } from '../../../../../src/components/load-balancer/external/steps/look.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { Authority } from './certificates.js';

test('in a real bash a sample of connections, open beside each other, tells whose certificates come back', async () => {
  const authority = new Authority('kubernetes');
  const made = authority.sign('kube-apiserver');
  authority.remove();
  const authenticated = createTlsServer({ cert: made.certificate, key: made.key }, (socket) => {
    socket.on('error', () => {}).resume();
  });
  // No handshake begins before a second connection is open: one behind the other would wait in vain.
  const waiting = new Set<Socket>();
  let areBesideEachOther = false;
  const server = createServer((socket) => {
    waiting.add(socket.on('error', () => {}).on('close', () => waiting.delete(socket)));
    areBesideEachOther ||= waiting.size > 1;
    if (!areBesideEachOther) return;
    for (const one of waiting) authenticated.emit('connection', one);
    waiting.clear();
  }).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const cluster = clusterOf(
      { controlPlanes: 1, workers: 1 },
      { endpoint: { address: '127.0.0.1', port }, loadBalancer: { type: 'external' } },
    );
    const worker = cluster.hosts.at(-1) as ClusterHost;
    const facts = new Facts(await bash(factsProgram(script(cluster, worker, true))));
    const print = createHash('sha256').update(new X509Certificate(made.certificate).raw).digest('hex');
    const seen = facts.text('presented').split('\n');
    expect(seen).toHaveLength(8);
    for (const line of seen) expect(line.replaceAll(':', '').toLowerCase()).toContain(print);
    expect(areBesideEachOther).toBe(true);
    // Nothing there is this host's cluster, and the question says so.
    expect(facts.text('api')).toBe('');
  } finally {
    server.close();
  }
});

function bash(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('bash', (error, stdout) => (error ? reject(error) : resolve(stdout)));
    child.stdin?.end(text);
  });
}
