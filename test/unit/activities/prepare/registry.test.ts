import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlain, type RequestListener, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAtRegistry } from '../../../../src/activities/prepare/registry/index.js';
import { type Asked, judge } from '../../../../src/activities/prepare/registry/judge.js';
import { registryScript } from '../../../../src/activities/prepare/registry/script.js';
import { Facts, factsProgram } from '../../../../src/activities/remote-facts.js';
import type { StepContext } from '../../../../src/activities/types.js';
import type { RegistrySettings } from '../../../../src/cluster/private-registry.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { systemdCluster } from '../../components/etcd/systemd/fixture.js';
import { lvsCluster } from '../../components/load-balancer/lvs/lvs-cluster.js';

/** The script in a real bash, against registries of this test. */
const folder = mkdtempSync(join(tmpdir(), 'kubewright-registry-'));
const at = (name: string) => join(folder, name);
const LOGIN = `Basic ${Buffer.from('puller:word').toString('base64')}`;
const IMAGE = '/v2/mirror/registry.k8s.io/pause/manifests/3.10.2';
const servers: Server[] = [];
let secure: string;
let plain: string;

/** A registry that wants a login and has one image. */
const answers: RequestListener = ({ url, headers }, response) => {
  if (headers.authorization !== LOGIN) response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="here"' });
  else response.writeHead(url === '/v2/' || url === IMAGE ? 200 : 404);
  response.end();
};

beforeAll(async () => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const files = ['-keyout', at('key.pem'), '-out', at('cert.pem')];
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    ...subject,
    ...files,
  ]);
  const tls = { key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) };
  const listen = (server: Server): Promise<string> =>
    new Promise((resolve) => {
      servers.push(server);
      server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`));
    });
  secure = await listen(createServer(tls, answers) as unknown as Server);
  plain = await listen(createPlain(answers));
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

async function ask(change: Partial<RegistrySettings>, login = LOGIN): Promise<Facts> {
  const paths = { 'registry.k8s.io': 'registry.k8s.io' };
  const registry: RegistrySettings = { address: '', paths, ca: null, loginEnv: 'LOGIN', images: 'all', ...change };
  const images = new Map([
    ['registry.k8s.io/pause:3.10.2', IMAGE],
    ['registry.k8s.io/etcd:3.6.8-0', IMAGE.replace('pause', 'etcd')],
  ]);
  const script = factsProgram(registryScript(registry, images));
  expect(script).not.toContain(LOGIN);
  const { stdout } = await execa('bash', ['--norc', '-c', script], { input: `${login}\n` });
  return new Facts(stdout);
}
const asked = (more: Partial<Asked> = {}): Asked => ({
  registry: { address: secure, paths: {}, ca: null, loginEnv: 'LOGIN', images: 'all' },
  host: 'w-1',
  hasLogin: true,
  takesTokens: false,
  ...more,
});
const ca = () => readFileSync(at('cert.pem'), 'utf8');

describe("a host's look at the registry", () => {
  it('finds it, with the certificates and the login of the file, and names each image that it lacks', async () => {
    const facts = await ask({ address: secure, ca: ca() });
    expect(facts.rows('registry')).toEqual([['200', '']]);
    expect(judge(facts, asked())).toEqual([
      expect.objectContaining({
        code: 'KW367',
        hosts: ['w-1'],
        what: expect.stringContaining('registry.k8s.io/etcd:3.6.8-0'),
      }),
    ]);
    expect(judge(facts, asked())[0]?.what).not.toContain('pause');
  });

  it('finds one without TLS', async () => {
    expect((await ask({ address: `http://${plain}` })).rows('registry')).toEqual([['200', '']]);
  });

  it.each<[string, () => Partial<RegistrySettings>, string, RegExp]>([
    [
      'a certificate that nobody vouches for',
      () => ({ address: secure }),
      LOGIN,
      /does not trust the certificate of .*self.signed/,
    ],
    [
      'a certificate for another name',
      () => ({ address: secure.replace('127.0.0.1', '127.0.0.2'), ca: ca() }),
      LOGIN,
      /certificate|no answer/,
    ],
    ['nobody there', () => ({ address: '127.0.0.1:1', ca: ca() }), LOGIN, /gets no answer from the registry/],
    [
      'a login that is wrong',
      () => ({ address: secure, ca: ca() }),
      'Basic b3RoZXI=',
      /is refused by .* with the login of LOGIN/,
    ],
  ])('tells %s', async (_, change, login, what) => {
    expect(judge(await ask(change(), login), asked())).toEqual([
      expect.objectContaining({ code: 'KW366', what: expect.stringMatching(what) }),
    ]);
  });
});

describe('the look from all hosts', () => {
  const packages = (cluster: Cluster): Cluster['packages'] => ({
    ...cluster.packages,
    registry: { address: '127.0.0.1:1', paths: {}, ca: null, loginEnv: null, images: 'missing' },
  });
  /** Nobody answers there, so that each host that asks says so. */
  async function asking(cluster: Cluster): Promise<string[]> {
    const run = async (script: string) =>
      script.startsWith('uname') ? { stdout: 'none' } : await execa('bash', ['--norc', '-c', script], { input: '\n' });
    const context = {
      cluster: { ...cluster, packages: packages(cluster) },
      hostNamed: (name: string) => ({ name, run }),
    };
    const found = await lookAtRegistry({ ...context, signal: new AbortController().signal } as unknown as StepContext);
    return found.flatMap(({ hosts = [] }) => hosts).sort();
  }

  it('is for those that run containers: no director, and no etcd host whose member is a service', async () => {
    expect(await asking(lvsCluster())).toEqual(['cp-1', 'cp-2', 'cp-3', 'w-1', 'w-2']);
    expect(await asking(systemdCluster({ etcd: 3 }))).toEqual(['cp-1', 'cp-2', 'cp-3', 'w-1']);
    expect(await asking(clusterOf({ controlPlanes: 1, workers: 0, etcd: 1 }))).toEqual(['cp-1', 'etcd-1']);
  });
});

describe('an answer of a registry', () => {
  const facts = (...rows: string[][]) => new Facts(rows.map((row) => `row ${row.join('\t')}`).join('\n'));

  it('that wants a token is one for CRI-O, for whom everybody may pull, and for no login of containerd', () => {
    const token = facts(['registry', '401', 'bearer']);
    expect(judge(token, asked())).toEqual([
      expect.objectContaining({ code: 'KW366', what: expect.stringContaining('token') }),
    ]);
    expect(judge(token, asked({ takesTokens: true }))).toEqual([]);
    expect(judge(token, asked({ hasLogin: false }))).toEqual([]);
  });

  it('that wants a login where there is none, or is none of a registry, is told', () => {
    const what = (...row: string[]) => judge(facts(['registry', ...row]), asked({ hasLogin: false }))[0]?.what;
    expect(what('401', 'basic')).toContain('which wants a login');
    expect(what('301', '')).toContain('no answer of a registry');
  });

  it('that could not be asked for is a warning', () => {
    expect(judge(facts(['registry-unasked', 'it has no openssl']), asked())).toEqual([
      expect.objectContaining({ code: 'KW366', severity: 'warning' }),
    ]);
  });
});
