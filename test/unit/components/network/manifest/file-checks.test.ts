import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchAddresses } from '../../../../../src/cluster/documents.js';
import { loadCluster, parseCluster } from '../../../../../src/cluster/load.js';
import { imagesOf, parseManifest } from '../../../../../src/components/network/objects/objects.js';
import { BASE, brief, problemsOf } from '../../../cluster/helpers.js';

const AGENT = `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: kube-system }
spec: { template: { spec: { containers: [{ name: agent, image: example.org/agent:v1 }] } } }
`;
const TEXT = `${BASE}  network: { plugin: manifest, manifests: [net.yaml] }\n`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewright-manifests-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const put = (content: string, name = 'net.yaml') => writeFileSync(join(directory, name), content);
const problems = (text = TEXT) =>
  problemsOf(text, { path: 'cluster.yaml', directory }).map((each) => `${each.file}:${brief(each)}`);
const messages = (text = TEXT) => problemsOf(text, { path: 'cluster.yaml', directory }).map(({ message }) => message);

describe('manifests of a pod network', () => {
  it('are read at once, from where the file lies, with their digest', () => {
    put(AGENT);
    const { cluster } = parseCluster(TEXT, { path: 'cluster.yaml', directory });
    const sha256 = createHash('sha256').update(AGENT).digest('hex');
    expect(cluster.network).toEqual({ plugin: 'manifest', manifests: [{ from: 'net.yaml', sha256, content: AGENT }] });
    expect(problems()).toEqual([]);
  });

  it('are of the digest that the file asks for', () => {
    put(AGENT);
    const asked = (sha256: string) => TEXT.replace('net.yaml', `{ from: net.yaml, sha256: ${sha256} }`);
    expect(problems(asked(createHash('sha256').update(AGENT).digest('hex')))).toEqual([]);
    expect(problems(asked('a'.repeat(64)))).toEqual(['cluster.yaml:21:44 other-digest spec.network.manifests[0]']);
  });

  it.each<[string, string]>([
    ['none are listed', `${BASE}  network: { plugin: manifest }\n`],
    ['the list is empty', `${BASE}  network: { plugin: manifest, manifests: [] }\n`],
  ])('have to be there: %s', (_, text) => {
    expect(problems(text)).toEqual([expect.stringMatching(/^cluster\.yaml:21:\d+ no-manifests spec\.network/)]);
  });

  it('that cannot be read are told at their place', () => {
    expect(problems()).toEqual(['cluster.yaml:21:44 unreadable-text spec.network.manifests[0]']);
    put(`# ${'x'.repeat(1024 * 1024)}\n${AGENT}`);
    expect(problems()).toEqual(['cluster.yaml:21:44 unreadable-text spec.network.manifests[0]']);
    put(`# ${'x'.repeat(600 * 1024)}\n${AGENT}`);
    put(`# ${'x'.repeat(600 * 1024)}\n`, 'more.yaml');
    expect(problems(TEXT.replace('net.yaml', 'net.yaml, more.yaml'))).toEqual([
      'cluster.yaml:21:54 texts-too-large spec.network.manifests[1]',
    ]);
  });

  it.each<[string, string, string]>([
    ['syntax', 'kind: [\n', 'net.yaml:7:1 yaml-syntax'],
    ['a list', '- kind: x\n', 'net.yaml:6:1 manifest-document'],
    ['no kind', 'apiVersion: v1\n', 'net.yaml:6:1 manifest-document'],
    [
      'a name to be made up',
      'apiVersion: v1\nkind: Pod\nmetadata: { generateName: a }\n',
      'net.yaml:6:1 manifest-document',
    ],
    [
      'a file of kubeadm',
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nmetadata: { name: a }\n',
      'net.yaml:6:1 manifest-kind',
    ],
    [
      'a secret',
      'apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData: { key: hunter2 }\n',
      'net.yaml:6:1 manifest-secret',
    ],
    [
      'a namespace that nobody makes',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: mesh }\n',
      'net.yaml:6:1 manifest-namespace',
    ],
    ['an object a second time', AGENT, 'net.yaml:6:1 manifest-twice'],
  ])('hold objects that a cluster takes, unlike %s', (_, document, expected) => {
    put(`${AGENT}---\n${document}`);
    expect(problems()).toEqual([expect.stringContaining(expected)]);
    expect(JSON.stringify(problemsOf(TEXT, { path: 'cluster.yaml', directory }))).not.toContain('hunter2');
  });

  it('without anything that runs are taken with a warning', () => {
    put('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n');
    expect(problems()).toEqual(['cluster.yaml:! 21:43 nothing-runs spec.network.manifests']);
  });

  const config = (name: string, data: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: kube-system }\ndata:\n${data}`;
  const pools =
    'apiVersion: operator.tigera.io/v1\nkind: Installation\nmetadata: { name: default }\nspec:\n  calicoNetwork:\n    ipPools:\n';

  it.each<[string, (cidr: string) => string]>([
    ["flannel's", (cidr) => config('kube-flannel-cfg', `  net-conf.json: |\n    { "Network": "${cidr}" }\n`)],
    [
      "calico-node's",
      (cidr) =>
        AGENT.replace('agent,', 'node,').replace(
          'image: example.org/agent:v1',
          `image: a, env: [{ name: CALICO_IPV4POOL_CIDR, value: ${cidr} }]`,
        ),
    ],
    ["Calico's operator's", (cidr) => `${pools}      - cidr: ${cidr}\n      - cidr: fd00::/64\n`],
    [
      "an IPPool's",
      (cidr) => `apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: { name: a }\nspec: { cidr: ${cidr} }\n`,
    ],
    ["Cilium's", (cidr) => config('cilium-config', `  ipam: cluster-pool\n  cluster-pool-ipv4-cidr: ${cidr}\n`)],
  ])('give pods the network of the file: %s', (_, manifest) => {
    put(`${AGENT}---\n${manifest('10.244.0.0/16')}`);
    expect(problems()).toEqual([]);
    put(`${AGENT}---\n${manifest('192.168.0.0/16')}`);
    expect(problems()).toEqual(['net.yaml:6:1 manifest-pod-cidr']);
    expect(messages()[0]).toContain('192.168.0.0/16, and kubernetes.podSubnet is 10.244.0.0/16');
  });

  it("may leave the network to each node's own, as Cilium does with ipam: kubernetes", () => {
    put(`${AGENT}---\n${config('cilium-config', '  ipam: kubernetes\n  cluster-pool-ipv4-cidr: 10.0.0.0/8\n')}`);
    expect(problems()).toEqual([]);
  });

  it('are taken apart as kubectl does, lists and comments included', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }],
    };
    const { objects } = parseManifest({
      from: 'a',
      content: `# head\n---\n# nothing\n--- # next\n${AGENT}---\n${JSON.stringify(list)}\n`,
    });
    expect(objects.map(({ kind, name, line, text }) => ({ kind, name, line, text }))).toEqual([
      { kind: 'DaemonSet', name: 'agent', line: 5, text: AGENT.trimEnd() },
      { kind: 'Namespace', name: 'n', line: 10, text: JSON.stringify(list.items[0]) },
    ]);
  });

  it('name images as containerd does', () => {
    const pod = (image: string) => AGENT.replace('example.org/agent:v1', image);
    const of = (image: string) => imagesOf(parseManifest({ from: 'a', content: pod(image) }).objects);
    expect(of('busybox')).toEqual(['docker.io/library/busybox:latest']);
    expect(of('calico/node:v3')).toEqual(['docker.io/calico/node:v3']);
    expect(of('localhost:5000/a')).toEqual(['localhost:5000/a:latest']);
    expect(of('"quay.io/a/b@sha256:00"')).toEqual(['quay.io/a/b@sha256:00']);
  });
});

describe('manifests at an address', () => {
  const server = createServer((_, response) => response.end(AGENT)).listen(0, '127.0.0.1');
  afterAll(() => server.close());
  const at = (address: string) => `${BASE}  network: { plugin: manifest, manifests: ["${address}"] }\n`;

  it('come by https alone, and by those who load a file', async () => {
    const { port } = server.address() as AddressInfo;
    expect(messages(at(`http://127.0.0.1:${port}/a`))).toContainEqual(expect.stringContaining('only https'));
    expect(messages(at('https://example.org/a.yaml'))).toContainEqual(expect.stringContaining('`loadCluster`'));
    expect([...(await fetchAddresses([`http://127.0.0.1:${port}/a`]))]).toEqual([]);
  });

  it('that does not answer are told at their place', async () => {
    put(at('https://127.0.0.1:1/net.yaml'), 'cluster.yaml');
    await expect(loadCluster(join(directory, 'cluster.yaml'))).rejects.toMatchObject({
      code: 'KW101',
      problems: expect.arrayContaining([
        expect.objectContaining({
          code: 'unreadable-text',
          line: 21,
          message: expect.stringContaining('does not answer'),
        }),
      ]),
    });
  });

  it('are taken with a warning while nothing pins what lies there', () => {
    const fetched = new Map([['https://example.org/a.yaml', Buffer.from(AGENT)]]);
    const pinned = `{ from: "https://example.org/a.yaml", sha256: ${createHash('sha256').update(AGENT).digest('hex')} }`;
    const options = { path: 'cluster.yaml', directory, fetched };
    expect(problemsOf(at('https://example.org/a.yaml'), options).map(brief)).toEqual([
      '! 21:44 address-not-pinned spec.network.manifests[0]',
    ]);
    expect(problemsOf(`${BASE}  network: { plugin: manifest, manifests: [${pinned}] }\n`, options)).toEqual([]);
  });
});
