import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../../src/activities/remote-facts.js';
import { carryOut } from '../../../../../src/activities/step.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { bringEtcdTools } from '../../../../../src/components/artifacts/repository/steps/bringEtcdTools.js';
import { installKubernetesPackages } from '../../../../../src/components/artifacts/repository/steps/installKubernetesPackages.js';
import { TO_DO } from '../../../activities/prepare/bundled.js';
import { contextOn, FakeHost } from '../../../activities/prepare/fake-host.js';
import { clusterOf } from '../../../cluster-fixture.js';

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBGMHoXc\n-----END PGP PUBLIC KEY BLOCK-----\n';
const CLUSTER: Cluster = clusterOf(
  { controlPlanes: 1, workers: 1 },
  {
    runtime: { type: 'containerd', source: 'distribution', config: {} },
    loadBalancer: { type: 'haproxy-keepalived', source: 'distribution' },
    packages: {
      source: 'repository',
      repository: { url: 'https://pkgs.example.org/v{minor}/{format}/', key: KEY, ca: null, loginEnv: null },
      proxy: null,
    },
  },
);
const DEBIAN = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n--- packages ---\n';
const OFFERS = ['kubelet', 'kubeadm', 'kubectl'].map((name) => `${name}\t1.34.3-1.1`);
const OTHERS = ['cri-tools\t1.34.0-1.1', 'kubernetes-cni\t1.7.1-1.1'];

function debianWith(packages: Record<string, string>, status = 'hi '): FakeHost {
  const fake = new FakeHost();
  const rows = Object.entries(packages).map(([name, version]) => `package\t${name}\t${status}\t${version}\n`);
  fake.answers.set('dpkg-query', `${DEBIAN}${rows.join('')}`);
  fake.answers.set('madison', [...[...OFFERS, ...OTHERS].map((row) => `row offer\t${row}`), 'facts end'].join('\n'));
  return fake;
}

const context = (fake: FakeHost, host = 'cp-1') => contextOn(fake, CLUSTER, 'installKubernetesPackages', host);
const ALL = {
  kubelet: '1.34.3-1.1',
  kubeadm: '1.34.3-1.1',
  kubectl: '1.34.3-1.1',
  'cri-tools': '1.34.0-1.1',
  'kubernetes-cni': '1.7.1-1.1',
};

describe('installKubernetesPackages', () => {
  it('installs just these versions in one transaction, and the unit with the program of the package', async () => {
    const fake = debianWith({});
    await installKubernetesPackages.apply(context(fake), TO_DO);
    expect(fake.written.get('/etc/apt/keyrings/kubewright-kubernetes.asc')).toBe(KEY);
    expect(fake.written.get('/etc/apt/sources.list.d/kubewright-kubernetes.sources')).toContain(
      'URIs: https://pkgs.example.org/v1.34/deb/',
    );
    expect(fake.durables).toHaveLength(1);
    const script = fake.durables[0]?.script ?? '';
    expect(script).toContain(
      'packages=(kubelet=1.34.3-1.1 kubeadm=1.34.3-1.1 kubectl=1.34.3-1.1 cri-tools=1.34.0-1.1 kubernetes-cni=1.7.1-1.1)',
    );
    expect(script).toContain('hold=(kubelet kubeadm kubectl cri-tools kubernetes-cni)');
    expect(fake.written.get('/etc/systemd/system/kubelet.service')).toContain('ExecStart=/usr/bin/kubelet\n');
    expect(fake.written.get('/etc/systemd/system/kubelet.service.d/10-kubeadm.conf')).toContain(
      'ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS',
    );
    expect(fake.uploaded).toEqual([]);
  });

  it('is done when all of it is there and held, and is not when something is free', async () => {
    const fake = debianWith(ALL);
    await installKubernetesPackages.apply(context(fake), TO_DO);
    expect(fake.durables).toEqual([]);
    for (const [path, content] of fake.written) fake.facts.set(path, digestOf(content));
    fake.facts.set('enabled', 'enabled');
    expect(await installKubernetesPackages.probe(context(fake))).toMatchObject({ done: true, changes: [] });
    const free = debianWith(ALL, 'ii ');
    expect((await installKubernetesPackages.probe(context(free))).changes.join('; ')).toMatch(/hold kubelet, kubeadm/);
  });

  it('changes no version of what is there', async () => {
    const fake = debianWith({ ...ALL, kubelet: '1.34.1-1.1' });
    const found = await installKubernetesPackages.probe(context(fake));
    expect(found.problem).toMatchObject({ code: 'KW379' });
    await expect(installKubernetesPackages.apply(context(fake), TO_DO)).rejects.toMatchObject({ code: 'KW379' });
    expect([fake.durables, [...fake.written]]).toEqual([[], []]);
  });

  it('installs nothing where the repository lacks a version', async () => {
    const fake = debianWith({});
    fake.answers.set('madison', ['row offer\tkubelet\t1.34.2-1.1', 'facts end'].join('\n'));
    await expect(installKubernetesPackages.apply(context(fake), TO_DO)).rejects.toMatchObject({ code: 'KW375' });
    expect(fake.durables).toEqual([]);
  });

  it('leaves kubectl to control planes', async () => {
    const fake = debianWith({});
    await installKubernetesPackages.apply(context(fake, 'w-1'), TO_DO);
    expect(fake.durables[0]?.script).not.toContain('kubectl=');
  });
});

describe('bringEtcdTools', () => {
  const on = (fake: FakeHost) => contextOn(fake, CLUSTER, 'bringEtcdTools');

  it('takes them out of the image that kubeadm names, and links them', async () => {
    const fake = new FakeHost();
    fake.facts.set('image', 'registry.k8s.io/etcd:3.6.5-0');
    fake.onDurable = () => {
      for (const name of ['etcdctl', 'etcdutl']) fake.facts.set(name, '');
    };
    // Not executable before the durable command has run.
    const before = await bringEtcdTools.probe(on(fake));
    expect(before.changes).toEqual(
      ['etcdctl', 'etcdutl'].map((name) => `take ${name} out of registry.k8s.io/etcd:3.6.5-0`),
    );
    await carryOut(bringEtcdTools, on(fake));
    expect(fake.durables[0]?.script).toContain('directory=/opt/kubewright/etcd/3.6.5-0');
    expect(fake.facts.get('/usr/local/bin/etcdctl')).toBe('/opt/kubewright/etcd/3.6.5-0/etcdctl');
    expect(await bringEtcdTools.probe(on(fake))).toMatchObject({ done: true });
  });

  it('does nothing where kubeadm does not say it', async () => {
    const fake = new FakeHost();
    await expect(bringEtcdTools.apply(on(fake), TO_DO)).rejects.toMatchObject({ code: 'KW452' });
    expect(fake.durables).toEqual([]);
  });
});
