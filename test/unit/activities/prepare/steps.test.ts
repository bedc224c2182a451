import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { installPackages } from '../../../../src/activities/prepare/installPackages.js';
import { claimScript, recordOwner } from '../../../../src/activities/prepare/ownership.js';
import { prepareSystem } from '../../../../src/activities/prepare/prepareSystem.js';
import { digestOf } from '../../../../src/activities/remote-facts.js';
import { carryOut } from '../../../../src/activities/step.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import { installBinaries } from '../../../../src/components/artifacts/bundle/steps/installBinaries.js';
import { importCheckImages } from '../../../../src/components/artifacts/images/importCheckImages.js';
import { importImages } from '../../../../src/components/artifacts/images/importImages.js';
import { renderContainerdUnit } from '../../../../src/components/runtime/containerd/render/unit.js';
import { configureRuntime } from '../../../../src/components/runtime/containerd/steps/configureRuntime.js';
import { parseOwner, renderOwner } from '../../../../src/render/owner.js';
import { systemdCluster } from '../../components/etcd/systemd/fixture.js';
import { bundledCluster, newHost, TO_DO } from './bundled.js';
import { contextOn, type FakeHost } from './fake-host.js';
import { BUNDLE } from './fixtures.js';

const CLUSTER = bundledCluster();
const DISTRIBUTIONS: Cluster = { ...CLUSTER, runtime: { type: 'containerd', source: 'distribution', config: {} } };

/** Tables as `ctr images check` and `ctr images ls` print them. */
function holds(fake: FakeHost, images: { name: string; status?: string; labels?: string }[]): void {
  const type = 'application/vnd.oci.image.manifest.v1+json sha256:abc';
  fake.facts.set(
    'check',
    images.map(({ name, status = 'complete (2/2) 1 MiB/1 MiB true' }) => `${name} ${type} ${status}`).join('\n'),
  );
  const both = 'io.cri-containerd.image=managed,io.cri-containerd.pinned=pinned';
  fake.facts.set(
    'list',
    images.map(({ name, labels = both }) => `${name} ${type} 1 MiB linux/amd64 ${labels}`).join('\n'),
  );
}

const NAMES = [
  'registry.k8s.io/kube-apiserver:v1.34.3',
  'registry.k8s.io/etcd:3.6.5-0',
  'registry.k8s.io/pause:3.10.1',
  'registry.k8s.io/kube-proxy:v1.34.3',
];
const ALL = NAMES.map((name) => ({ name }));

describe('importImages', () => {
  it('is done only when containerd has each image of the role, complete, unpacked, seen by CRI and pinned', async () => {
    const fake = newHost();
    holds(fake, ALL);
    expect(await importImages.probe(contextOn(fake, CLUSTER, 'importImages'))).toMatchObject({
      done: true,
      changes: [],
    });
  });

  it.each([
    ['has none', []],
    ['lacks a blob', [{ name: NAMES[0] ?? '', status: 'incomplete (1/2) 0/1 MiB false' }, ...ALL.slice(1)]],
    ['has not unpacked one', [{ name: NAMES[0] ?? '', status: 'complete (2/2) 1 MiB/1 MiB false' }, ...ALL.slice(1)]],
    ['has another version', [{ name: 'registry.k8s.io/kube-apiserver:v1.34.30' }, ...ALL.slice(1)]],
    [
      'has not told the kubelet',
      [{ name: NAMES[0] ?? '', labels: 'io.cri-containerd.pinned=pinned' }, ...ALL.slice(1)],
    ],
    ['has not pinned one', [{ name: NAMES[0] ?? '', labels: 'io.cri-containerd.image=managed' }, ...ALL.slice(1)]],
  ])('is not done when containerd %s', async (_case, images) => {
    const fake = newHost();
    holds(fake, images);
    const probe = await importImages.probe(contextOn(fake, CLUSTER, 'importImages'));
    expect(probe.done).toBe(false);
    expect(probe.changes.join()).toContain('kube-apiserver');
  });

  it('sends nothing while containerd does not say what it has', async () => {
    const context = (fake: FakeHost) => contextOn(fake, CLUSTER, 'importImages');
    const silent = newHost();
    await expect(importImages.probe(context(silent))).rejects.toMatchObject({ code: 'KW414', transient: true });
    await expect(importImages.apply(context(silent), TO_DO)).rejects.toMatchObject({ code: 'KW414' });
    expect(silent.uploaded).toEqual([]);
  });

  it('uploads only what is missing, and the durable command reads the same whatever is missing', async () => {
    const scripts = await Promise.all(
      [ALL.slice(0, 3), []].map(async (present) => {
        const fake = newHost();
        holds(fake, present);
        fake.onDurable = () => holds(fake, ALL);
        await carryOut(importImages, contextOn(fake, CLUSTER, 'importImages'));
        expect(fake.uploaded).toHaveLength(4 - present.length);
        for (const { target } of fake.uploaded)
          expect(target).toMatch(/^\/var\/lib\/kubewright\/bundle\/images\/[^/]+\.tar$/);
        return fake.durables[0]?.script;
      }),
    );
    expect(scripts[0]).toBe(scripts[1]);
  });

  it('brings a worker no control plane, and the image of checks only when it is asked for', async () => {
    const fake = newHost();
    holds(fake, []);
    fake.onDurable = () => holds(fake, ALL);
    await carryOut(importImages, contextOn(fake, CLUSTER, 'importImages', 'w-1'));
    expect(fake.uploaded.map(({ target }) => target.split('/').at(-1))).toEqual([
      'pause-3.10.1.tar',
      'kube-proxy-v1.34.3.tar',
    ]);
    expect((await importCheckImages.probe(contextOn(fake, CLUSTER, 'importCheckImages'))).changes.join()).toContain(
      'agnhost',
    );
  });
});

describe('installBinaries', () => {
  it('sends each role what it runs and nothing else', async () => {
    const sent = await Promise.all(
      ['cp-1', 'w-1'].map(async (name) => {
        const fake = newHost();
        await installBinaries.apply(contextOn(fake, CLUSTER, 'installBinaries', name), TO_DO);
        expect([...fake.written.keys()]).toEqual([
          '/etc/systemd/system/kubelet.service',
          '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
        ]);
        expect(fake.facts.get('/usr/local/bin/kubelet')).toBe('/opt/kubewright/kubernetes/1.34.3/kubelet');
        return fake.uploaded.map(({ target }) => target.replace('/opt/kubewright/', ''));
      }),
    );
    const everywhere = ['kubernetes/1.34.3/kubelet', 'kubernetes/1.34.3/kubeadm', 'cri-tools/1.36.0/crictl'];
    expect(sent[0]).toEqual([...everywhere, 'kubernetes/1.34.3/kubectl', 'etcd/3.6.5/etcdctl', 'etcd/3.6.5/etcdutl']);
    expect(sent[1]).toEqual(everywhere);
  });

  it('sends a host that runs no containers neither kubelet nor its unit, and etcd where systemd runs it', async () => {
    const cluster = { ...systemdCluster({ etcd: 3 }), packages: CLUSTER.packages };
    const fake = newHost();
    await installBinaries.apply(contextOn(fake, cluster, 'installBinaries', 'etcd-2'), TO_DO);
    expect([...fake.written.keys()]).toEqual([]);
    expect(fake.uploaded.map(({ target }) => target.replace('/opt/kubewright/', ''))).toEqual([
      'kubernetes/1.34.3/kubeadm',
      'etcd/3.6.5/etcdctl',
      'etcd/3.6.5/etcdutl',
      'etcd/3.6.5/etcd',
    ]);
    expect(await installBinaries.probe(contextOn(fake, cluster, 'installBinaries', 'etcd-2'))).toMatchObject({
      done: true,
    });
  });

  it('sends what lies packed in the bundle as it lies there', async () => {
    const fake = newHost();
    await installBinaries.apply(contextOn(fake, CLUSTER, 'installBinaries', 'w-1'), TO_DO);
    const kubelet = BUNDLE.files.find(({ path }) => path === 'bin/kubelet');
    expect(fake.uploaded[0]).toEqual({
      source: expect.stringMatching(/\/bin\/kubelet\.gz$/),
      target: '/opt/kubewright/kubernetes/1.34.3/kubelet',
      sha256: kubelet?.sha256,
      size: kubelet?.size,
      mode: 0o755,
      packed: kubelet?.packed,
    });
  });
});

describe('installPackages', () => {
  const PACKAGES = 'ID=debian\nVERSION_ID="12"\n--- packages ---\n';
  const installed = ['conntrack', 'ethtool', 'iptables', 'mount', 'openssl', 'socat', 'haproxy', 'keepalived'].map(
    (name) => `package\t${name}\tii \t1`,
  );
  const runtime = ['containerd', 'runc'].map((name) => `package\t${name}\thi \t1.6.20`);

  it('is done when all are installed, the runtime held and no service held off', async () => {
    const fake = newHost();
    const context = contextOn(fake, DISTRIBUTIONS, 'installPackages');
    fake.answers.set('dpkg-query', [PACKAGES, ...installed, ...runtime].join('\n'));
    expect(await installPackages.probe(context)).toMatchObject({ done: true });
    fake.answers.set('dpkg-query', [PACKAGES, ...installed, ...runtime, 'masked\thaproxy.service'].join('\n'));
    expect(await installPackages.probe(context)).toMatchObject({ done: false });
    fake.answers.set(
      'dpkg-query',
      [PACKAGES, ...installed, ...runtime.map((line) => line.replace('hi', 'ii'))].join('\n'),
    );
    expect((await installPackages.probe(context)).changes.join()).toContain('hold');
  });

  it("leaves the distribution's runtime alone where the bundle brings one", async () => {
    const fake = newHost();
    fake.answers.set('dpkg-query', [PACKAGES, ...installed].join('\n'));
    expect(await installPackages.probe(contextOn(fake, CLUSTER, 'installPackages'))).toMatchObject({
      done: true,
      found: '3 packages are installed',
    });
  });

  it('refuses a containerd that is too old for this Kubernetes, which no install would upgrade', async () => {
    const fake = newHost();
    const old = ['package\tcontainerd.io\tii \t1.4.13-1'];
    fake.answers.set('dpkg-query', [PACKAGES, ...old].join('\n'));
    await expect(installPackages.probe(contextOn(fake, DISTRIBUTIONS, 'installPackages'))).rejects.toMatchObject({
      code: 'KW453',
      message: expect.stringContaining('containerd.io is 1.4.13-1, and Kubernetes 1.34.3 needs 1.6'),
    });
    fake.answers.set('dpkg-query', [PACKAGES, old[0]?.replace('ii', 'un')].join('\n'));
    expect(await installPackages.probe(contextOn(fake, DISTRIBUTIONS, 'installPackages'))).toMatchObject({
      done: false,
    });
  });

  it('explains what apt said, and lets a held lock be waited for', async () => {
    const fake = newHost();
    fake.answers.set('dpkg-query', PACKAGES);
    fake.durableResult = { exitCode: 100, result: 'exit-code', output: 'E: Unable to locate package haproxy' };
    const apply = () => installPackages.apply(contextOn(fake, CLUSTER, 'installPackages'), TO_DO);
    await expect(apply()).rejects.toMatchObject({
      code: 'KW445',
      transient: false,
      host: 'cp-1',
      output: expect.stringContaining('haproxy'),
    });
    fake.durableResult.output = 'E: Could not get lock /var/lib/dpkg/lock';
    await expect(apply()).rejects.toMatchObject({ code: 'KW443', transient: true });
  });
});

describe('configureRuntime', () => {
  it('trusts the configuration that the running process has read, not the file', async () => {
    const fake = newHost();
    fake.facts.set('version', 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1');
    const context = contextOn(fake, DISTRIBUTIONS, 'configureRuntime');
    await configureRuntime.apply(context, TO_DO).catch(() => undefined);
    for (const [path, content] of fake.written) fake.facts.set(path, digestOf(content));
    for (const name of ['active', 'enabled', 'cri']) fake.facts.set(name, 'yes');
    fake.facts.set('loaded', 'another digest');
    expect((await configureRuntime.probe(context)).changes).toEqual([
      'restart containerd, which runs with an older configuration',
    ]);
    fake.facts.set('loaded', fake.facts.get('/etc/containerd/config.toml') ?? '');
    expect(await configureRuntime.probe(context)).toMatchObject({ done: true });
    fake.facts.delete('cri');
    expect(await configureRuntime.probe(context)).toMatchObject({ done: false });
  });

  it.each([
    ['containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1', 'version = 2'],
    ['containerd containerd.io v2.1.5 fcd43222d6b07379a4be9786bda52438f0dd16a1', 'version = 3'],
    ['containerd github.com/containerd/containerd/v2 v2.3.7', 'version = 3'],
  ])('takes the form of its configuration from "%s"', async (says, line) => {
    const fake = newHost();
    fake.facts.set('version', says);
    await configureRuntime.apply(contextOn(fake, DISTRIBUTIONS, 'configureRuntime'), TO_DO).catch(() => undefined);
    expect(fake.written.get('/etc/containerd/config.toml')).toContain(line);
  });

  it('says so when there is no containerd', async () => {
    await expect(configureRuntime.probe(contextOn(newHost(), DISTRIBUTIONS, 'configureRuntime'))).rejects.toMatchObject(
      {
        code: 'KW449',
      },
    );
  });

  it("brings the bundle's programs, the unit for just these releases, and links", async () => {
    const fake = newHost();
    await configureRuntime.apply(contextOn(fake, CLUSTER, 'configureRuntime'), TO_DO);
    expect(fake.uploaded.map(({ target }) => target)).toEqual([
      '/opt/kubewright/containerd/2.3.7/containerd',
      '/opt/kubewright/containerd/2.3.7/containerd-shim-runc-v2',
      '/opt/kubewright/containerd/2.3.7/ctr',
      '/opt/kubewright/runc/1.5.2/runc',
    ]);
    expect(fake.written.get('/etc/systemd/system/containerd.service')).toMatch(
      /PATH=\/opt\/kubewright\/containerd\/2\.3\.7:\/opt\/kubewright\/runc\/1\.5\.2:.*\nExecStart=\/opt\/kubewright\/containerd\/2\.3\.7\/containerd\n/,
    );
    expect(fake.facts.get('/usr/local/bin/ctr')).toBe('/opt/kubewright/containerd/2.3.7/ctr');
  });

  it.each([
    ['the bundle', CLUSTER, '/usr/bin/containerd', 'distribution'],
    ['the distribution', DISTRIBUTIONS, '/opt/kubewright/containerd/2.3.7/containerd', 'bundle'],
  ])('never puts the containerd of %s under pods of another one', async (_, cluster, program, keeps) => {
    const fake = newHost();
    fake.facts.set('version', 'containerd github.com/containerd/containerd 1.6.20').set('program', program);
    fake.facts.set('pods', '0');
    await configureRuntime.probe(contextOn(fake, cluster, 'configureRuntime'));
    fake.facts.set('pods', '3');
    await expect(configureRuntime.apply(contextOn(fake, cluster, 'configureRuntime'), TO_DO)).rejects.toMatchObject({
      code: 'KW456',
      hint: expect.stringContaining(`runtime.source: ${keeps}`),
    });
    expect(fake.written.size + fake.uploaded.length).toBe(0);
  });

  it.each(['program', 'pods'])('changes nothing while the host does not tell about %s', async (unasked) => {
    const fake = newHost();
    fake.facts.set('program', '/usr/bin/containerd').set('pods', '3');
    const script = `fact ${unasked} 1 `;
    fake.answers.set('ask program program', `fact unit 1 \n${script}\nfacts end`);
    await expect(configureRuntime.apply(contextOn(fake, CLUSTER, 'configureRuntime'), TO_DO)).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
    });
    expect(fake.written.size + fake.uploaded.length).toBe(0);
  });

  it('restarts containerd for a new proxy, which is part of what it was started with', async () => {
    const fake = newHost();
    const behind = { ...CLUSTER, packages: { ...CLUSTER.packages, proxy: 'http://proxy.example.org:3128' } };
    const context = contextOn(fake, behind, 'configureRuntime');
    await configureRuntime.apply(context, TO_DO);
    const files = ['/etc/systemd/system/containerd.service', '/etc/containerd/config.toml'];
    const dropIn = '/etc/systemd/system/containerd.service.d/10-kubewright.conf';
    const read = (paths: string[]) => digestOf(paths.map((path) => fake.written.get(path) ?? '').join(''));
    expect(fake.written.get(dropIn)).toMatch(
      /^Environment=NO_PROXY=localhost,127\.0\.0\.0\/8,.*\.svc,\.cluster\.local$/m,
    );
    for (const [path, content] of fake.written) fake.facts.set(path, digestOf(content));
    fake.facts.set('active', 'active').set('enabled', 'enabled').set('cri', '').set('loaded', read(files));
    expect((await configureRuntime.probe(context)).changes).toEqual([
      'restart containerd, which runs with an older configuration',
    ]);
    fake.facts.set('loaded', read([...files, dropIn]));
    expect(await configureRuntime.probe(context)).toMatchObject({ done: true });
  });

  it('puts nothing under pods whose containerd of the distribution has ended', async () => {
    const fake = newHost();
    fake.facts.set('pods', '3');
    await expect(configureRuntime.apply(contextOn(fake, CLUSTER, 'configureRuntime'), TO_DO)).rejects.toMatchObject({
      code: 'KW456',
    });
    expect(fake.uploaded).toEqual([]);
  });

  it('leaves an earlier release of its own to the pods that run under it, and takes it away from nobody', async () => {
    const fake = newHost();
    const earlier = { containerd: '2.3.4', runc: '1.4.0' };
    fake.facts.set('unit', renderContainerdUnit(earlier)).set('program', '/opt/kubewright/containerd/2.3.4/containerd');
    const context = contextOn(fake, CLUSTER, 'configureRuntime');
    fake.facts.set('pods', '3');
    await configureRuntime.apply(context, TO_DO);
    expect(fake.uploaded).toEqual([]);
    expect(fake.written.get('/etc/systemd/system/containerd.service')).toBe(renderContainerdUnit(earlier));
    fake.facts.set('pods', '0');
    await configureRuntime.apply(context, TO_DO);
    expect(fake.written.get('/etc/systemd/system/containerd.service')).toContain('containerd 2.3.7');
  });
});

describe('the ownership record', () => {
  it('keeps the fingerprint of the CA once it is known', async () => {
    const fake = newHost();
    const host = CLUSTER.hosts[0] as (typeof CLUSTER.hosts)[number];
    const recorded = () => parseOwner(fake.written.get('/etc/kubewright/owner.json') ?? '');
    await recordOwner(fake.remote, CLUSTER, host);
    expect(recorded()).toMatchObject({ cluster: 'demo', host: 'cp-1', caFingerprint: null });
    await recordOwner(fake.remote, CLUSTER, host, 'sha256:aa');
    await recordOwner(fake.remote, CLUSTER, host);
    expect(recorded()).toMatchObject({ caFingerprint: 'sha256:aa' });
  });

  const OTHER = { cluster: 'prod', host: 'db-7', address: '10.1.1.1', endpoint: '10.1.1.9:8443', caFingerprint: null };

  it('of another cluster that came between preflight and the first change stops the step before it changes anything', async () => {
    const fake = newHost();
    fake.answers.set('ln -T', renderOwner(OTHER));
    const applied = prepareSystem.apply(contextOn(fake, CLUSTER, 'prepareSystem'), TO_DO);
    await expect(applied).rejects.toMatchObject({
      code: 'KW320',
      host: 'cp-1',
      transient: false,
      message: expect.stringMatching(/cluster "prod" \(10\.1\.1\.9:8443, as host db-7\), not to "demo"/),
      hint: expect.stringMatching(/another host.*`kubewright abort --cluster prod`.*kubeadm reset/),
    });
    expect(fake.written.size).toBe(0);
    fake.answers.set('ln -T', '{"cluster": "pr');
    await expect(prepareSystem.apply(contextOn(fake, CLUSTER, 'prepareSystem'), TO_DO)).rejects.toMatchObject({
      code: 'KW320',
      message: expect.stringContaining('owner.json'),
    });
  });

  it('is granted to one of many that claim the host at the same moment, and stands whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubewright-claim-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'it’s', 'owner.json');
    const claims = Array.from({ length: 12 }, (_, index) => renderOwner({ ...OTHER, cluster: `c-${index}` }));
    const claim = async (input: string) => (await execa('bash', ['--norc', '-c', claimScript(path)], { input })).stdout;
    const seen = await Promise.all(claims.map(claim));
    const owners = new Set(seen.map((text) => parseOwner(text)?.cluster));
    expect(owners.size).toBe(1);
    expect(`${seen[0]}\n`).toBe(readFileSync(path, 'utf8'));
    // Nothing is left of those who came too late, and whoever asks later hears the same.
    expect(readdirSync(dirname(path))).toEqual(['owner.json']);
    expect(await claim(renderOwner({ ...OTHER, cluster: 'late' }))).toBe(seen[0]);
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});
