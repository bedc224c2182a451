import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { PeerFacts } from '../../../../../src/activities/prepare/facts/cluster-facts.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { type EndpointView, viewFrom } from '../../../../../src/components/load-balancer/external/preflight.js';
import { endpointProblems } from '../../../../../src/components/load-balancer/external/problems.js';
import type { RemoteHost } from '../../../../../src/hosts/types.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { Authority } from './certificates.js';

const ours = new Authority('kubernetes');
const other = new Authority('other');
afterAll(() => {
  ours.remove();
  other.remove();
});

const clusterAt = (address: string, port = 6443): Cluster =>
  clusterOf({ controlPlanes: 2, workers: 1 }, { endpoint: { address, port }, loadBalancer: { type: 'external' } });

/** All hosts see the same, but for what a test changes. */
function views(common: Partial<EndpointView>, changes: Record<string, Partial<EndpointView>> = {}): EndpointView[] {
  const plain = { resolved: undefined, reach: 'connected', looked: true, certificate: '', greeting: '', authority: '' };
  return ['cp-1', 'cp-2', 'w-1'].map((host) => ({ host, ...plain, ...common, ...changes[host] }));
}

const peers = (names: string[]) => names.map((name) => ({ name, ours: true }) as PeerFacts);
const told = (seen: EndpointView[], members: string[] = [], cluster = clusterAt('api.example.org')) =>
  endpointProblems(cluster, peers(members), seen).map(
    ({ code, what, severity }) => `${severity ?? 'error'} ${code} ${what}`,
  );

describe('before the first change', () => {
  test('a balancer that takes connections and has nobody behind it is fine', () => {
    expect(told(views({ resolved: ['10.99.0.7'] }))).toEqual([]);
  });

  test('a name has to mean something on every host', () => {
    const seen = views({ resolved: ['10.99.0.7'] }, { 'w-1': { resolved: [], reach: '' } });
    expect(told(seen)).toEqual(["error KW370 the API's name api.example.org has no IPv4 address on w-1"]);
  });

  test('a name that means the host itself is refused, though all hosts agree', () => {
    expect(told(views({ resolved: ['127.0.1.1'] }))).toEqual([
      "error KW370 the API's name api.example.org means the host itself on cp-1, cp-2 and w-1 (a loopback address)",
    ]);
  });

  test('a name has to mean the same on all of them', () => {
    const seen = views({ resolved: ['10.99.0.7', '10.99.0.8'] }, { 'cp-2': { resolved: ['10.99.0.9'] } });
    expect(told(seen)).toEqual([
      "error KW371 the API's name api.example.org has different addresses: 10.99.0.7 and 10.99.0.8 on cp-1 and w-1; 10.99.0.9 on cp-2",
    ]);
  });

  test('somebody else who answers is told by name, all of them', () => {
    const { certificate } = other.sign('dashboard');
    const seen = views({ certificate }, { 'w-1': { certificate: '', greeting: 'SSH-2.0-OpenSSH_9.2' } });
    expect(told(seen)).toEqual([
      'error KW372 something else answers at api.example.org:6443, as seen from cp-1 and cp-2: a certificate of CN=dashboard, issued by CN=other',
      'error KW372 something else answers at api.example.org:6443, as seen from w-1: no TLS, but "SSH-2.0-OpenSSH_9.2"',
    ]);
  });

  test('an API server of this cluster is nobody else, also to a host that is new', () => {
    const { certificate } = ours.sign('kube-apiserver');
    const seen = views({ certificate }, { 'cp-1': { authority: ours.certificate } });
    expect(told(seen, ['cp-1'])).toEqual([]);
    // The CA of a host that is another cluster's vouches for nobody here.
    expect(told(seen).map((line) => line.slice(0, 11))).toEqual(['error KW372']);
  });

  test('an issuer that only bears the CA’s name is somebody else', () => {
    const twin = new Authority('kubernetes');
    const { certificate } = twin.sign('kube-apiserver');
    twin.remove();
    const seen = views({ certificate }, { 'cp-1': { authority: ours.certificate } });
    expect(told(seen, ['cp-1'])).toHaveLength(1);
  });

  test('what only some hosts reach is out of reach of the others', () => {
    const seen = views({}, { 'w-1': { reach: 'silent' }, 'cp-2': { reach: 'No route to host' } });
    expect(told(seen)).toEqual([
      'error KW373 the load balancer at api.example.org:6443 is out of reach of cp-2 (No route to host) and w-1 (nothing comes back); on other hosts a connection is made',
    ]);
  });

  test.each(['refused', 'silent'])(
    'that nobody gets more than "%s" is a warning: it may have no server yet',
    (reach) => {
      expect(told(views({ reach })).map((line) => line.slice(0, 13))).toEqual(['warning KW373']);
    },
  );

  test('no route from anywhere is no balancer without a server', () => {
    expect(told(views({ reach: 'Network is unreachable' })).map((line) => line.slice(0, 11))).toEqual(['error KW373']);
  });
});

/** The very script that runs on hosts, here. */
const here = {
  name: 'here',
  run: (script: string) =>
    new Promise((resolve, reject) => {
      const child = execFile('bash', (error, stdout) => (error ? reject(error) : resolve({ stdout })));
      child.stdin?.end(script);
    }),
} as unknown as RemoteHost;

describe('the script, in bash, with openssl', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function listening(made: Server): Promise<number> {
    server = made.listen(0, '127.0.0.1');
    await once(made, 'listening');
    return (made.address() as AddressInfo).port;
  }

  const look = (port: number, address = '127.0.0.1') =>
    viewFrom(clusterAt(address, port), here, new AbortController().signal);

  test('sees the certificate of who answers with TLS', async () => {
    const { certificate, key } = other.sign('dashboard');
    const port = await listening(createTlsServer({ cert: certificate, key }));
    const view = await look(port);
    expect(view).toMatchObject({ reach: 'connected', looked: true, greeting: '', resolved: undefined });
    expect(view.certificate.trim()).toBe(certificate.trim());
  });

  test('sees what somebody says who speaks no TLS, without what could steer a terminal', async () => {
    const port = await listening(createServer((socket) => socket.on('error', () => {}).end('\u001b[31mSSH-2.0-x\r\n')));
    expect(await look(port)).toMatchObject({ reach: 'connected', certificate: '', greeting: '[31mSSH-2.0-x' });
  });

  test('sees nobody behind a balancer that closes what it takes', async () => {
    const port = await listening(createServer((socket) => socket.on('error', () => {}).end()));
    expect(await look(port)).toMatchObject({ reach: 'connected', certificate: '', greeting: '' });
  });

  test('tells a closed port, and a name that there is from one that there is not', async () => {
    const port = await listening(createServer());
    server?.close();
    expect(await look(port)).toMatchObject({ reach: 'refused' });
    expect((await look(port, 'localhost')).resolved).toEqual(['127.0.0.1']);
    expect((await look(port, 'nowhere.invalid')).resolved).toEqual([]);
  });
});
