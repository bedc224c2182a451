import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../../../../src/activities/remote-facts.js';
import { carryOut } from '../../../../../src/activities/step.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { importImages } from '../../../../../src/components/artifacts/images/importImages.js';
import { renderCrioUnit } from '../../../../../src/components/runtime/crio/render/unit.js';
import { configureCrio } from '../../../../../src/components/runtime/crio/steps/configureCrio.js';
import { TO_DO } from '../../../activities/prepare/bundled.js';
import { contextOn, FakeHost } from '../../../activities/prepare/fake-host.js';
import { BUNDLE } from '../../../activities/prepare/fixtures.js';
import { clusterOf } from '../../../cluster-fixture.js';

const directory = mkdtempSync(join(tmpdir(), 'kubewright-crio-bundle-'));
afterAll(() => rmSync(directory, { recursive: true }));
const [sample] = BUNDLE.files;
const paths = ['bin/crio', 'bin/pinns', 'bin/conmon', 'bin/crun', 'skopeo/skopeo', 'skopeo/libc.so.6'];
const { directory: _, ...rest } = BUNDLE;
writeFileSync(
  join(directory, 'bundle.json'),
  JSON.stringify({
    apiVersion: 'kubewright.dev/v1alpha1',
    kind: 'Bundle',
    ...rest,
    versions: { ...BUNDLE.versions, 'cri-o': 'v1.34.13', skopeo: '1.9.3-0a1b2c3d' },
    files: [...BUNDLE.files, ...paths.map((path) => ({ ...sample, path }))],
  }),
);
const CLUSTER: Cluster = clusterOf(
  { controlPlanes: 1, workers: 1 },
  {
    runtime: { type: 'crio', source: 'bundle', config: {} },
    packages: { source: 'bundle', bundle: directory, proxy: null },
  },
);
const UNIT = '/etc/systemd/system/crio.service';
const CONFIG = '/etc/crio/crio.conf.d/99-kubewright.conf';
const DROP_IN = '/etc/systemd/system/crio.service.d/10-kubewright.conf';
const POLICY = '/etc/crio/policy.json';

function hostWith(facts: Record<string, string> = {}): FakeHost {
  const fake = new FakeHost();
  fake.answers.set('uname -m', 'x86_64\n');
  for (const [name, text] of Object.entries({ pods: '0', ...facts })) fake.facts.set(name, text);
  return fake;
}
const context = (fake: FakeHost, action: 'configureCrio' | 'importImages' = 'configureCrio', host = 'cp-1') =>
  contextOn(fake, CLUSTER, action, host);

/** The host as it is once what was written is running. */
function runs(fake: FakeHost): void {
  for (const path of [...fake.written.keys()]) fake.facts.set(path, digestOf(fake.written.get(path) ?? ''));
  const read = [UNIT, CONFIG, ...(fake.written.has(POLICY) ? [POLICY] : [])];
  fake.facts.set('loaded', digestOf(read.map((path) => fake.written.get(path)).join('')));
  for (const name of ['active', 'enabled', 'cri']) fake.facts.set(name, 'yes');
}

describe('configureCrio', () => {
  it('brings one release and starts it with its files, and is done when that is what runs', async () => {
    const fake = hostWith();
    fake.onDurable = () => runs(fake);
    await carryOut(configureCrio, context(fake));
    expect(fake.uploaded.map(({ target }) => target)).toEqual(
      ['crio', 'pinns', 'conmon', 'crun'].map((name) => `/opt/kubewright/cri-o/1.34.13/${name}`),
    );
    expect([...fake.written.keys()]).toEqual([UNIT, CONFIG, POLICY, DROP_IN, '/etc/crictl.yaml']);
    expect(fake.written.get('/etc/crictl.yaml')).toContain('runtime-endpoint: unix:///var/run/crio/crio.sock');
    expect(fake.facts.get('/usr/local/bin/crio')).toBe('/opt/kubewright/cri-o/1.34.13/crio');
    expect(fake.durables).toHaveLength(1);
    expect(fake.durables[0]?.script).toContain('systemctl restart --no-block crio.service');
    expect(await configureCrio.probe(context(fake))).toMatchObject({ done: true, changes: [] });
  });

  it('pins what the bundle brings to the host: the image of checks too, and no image of other roles', async () => {
    const pinned = async (host: string) => {
      const fake = hostWith();
      await configureCrio.apply(context(fake, 'configureCrio', host), TO_DO);
      return /pinned_images = \[(.*)\]/.exec(fake.written.get(CONFIG) ?? '')?.[1];
    };
    expect(await pinned('cp-1')).toContain('kube-apiserver');
    const worker = await pinned('w-1');
    for (const name of ['kube-proxy', 'pause', 'agnhost']) expect(worker).toContain(name);
    for (const name of ['kube-apiserver', 'etcd']) expect(worker).not.toContain(name);
  });

  it("leaves the host's own policy of images in force", async () => {
    const fake = hostWith({ policy: '' });
    await configureCrio.apply(context(fake), TO_DO);
    expect([...fake.written.keys()]).not.toContain(POLICY);
    expect(fake.written.get(CONFIG)).not.toContain('signature_policy');
  });

  it('restarts one that runs with an older configuration, and leaves its pods the release that they run under', async () => {
    const fake = hostWith({ pods: '3', program: '/opt/kubewright/cri-o/1.34.9/crio' });
    await configureCrio.apply(context(fake), TO_DO);
    expect(fake.uploaded).toEqual([]);
    expect(fake.written.get(UNIT)).toBe(renderCrioUnit('1.34.9'));
    fake.facts.set('active', 'active').set('enabled', 'enabled').set('cri', '');
    for (const [path, text] of fake.written) fake.facts.set(path, digestOf(text));
    const { changes } = await configureCrio.probe(context(fake));
    expect(changes).toEqual(['restart CRI-O, which runs with an older configuration']);
  });

  it.each([
    ['a CRI-O of the distribution', { program: '/usr/bin/crio' }],
    ['one that has ended, and whose unit is of somebody else', { unit: '[Service]\nExecStart=/usr/bin/crio' }],
  ])('puts no other CRI-O under pods that run under %s', async (_case, facts) => {
    const fake = hostWith({ pods: '1', ...facts });
    await expect(configureCrio.apply(context(fake), TO_DO)).rejects.toMatchObject({ code: 'KW456' });
    expect([...fake.written, ...fake.uploaded]).toEqual([]);
  });
});

describe('images of a bundle on a host with CRI-O', () => {
  const NAMES = [
    'registry.k8s.io/kube-apiserver:v1.34.3',
    'registry.k8s.io/etcd:3.6.5-0',
    'registry.k8s.io/pause:3.10.1',
    'registry.k8s.io/kube-proxy:v1.34.3',
  ];
  const holds = (fake: FakeHost, names: string[], pinned = true): FakeHost => {
    const images = names.map((name) => ({ repoTags: [name], repoDigests: [], pinned }));
    fake.facts.set('images', JSON.stringify({ images }));
    return fake;
  };

  it('are there when CRI-O names each of them and calls it pinned', async () => {
    const probe = (names: string[], pinned?: boolean) =>
      importImages.probe(context(holds(hostWith(), names, pinned), 'importImages'));
    expect(await probe(NAMES)).toMatchObject({ done: true });
    expect((await probe(NAMES.slice(1))).changes).toEqual([`import ${NAMES[0]}`]);
    expect((await probe(NAMES, false)).changes.join()).toContain('pinned');
  });

  it('are uploaded as far as they are missing, with skopeo, and imported by the same command whatever is missing', async () => {
    const scripts = await Promise.all(
      [NAMES.slice(0, 3), []].map(async (present) => {
        const fake = holds(hostWith(), present);
        fake.onDurable = () => holds(fake, NAMES);
        await carryOut(importImages, context(fake, 'importImages'));
        const targets = fake.uploaded.map(({ target }) => target);
        expect(targets.slice(0, 2)).toEqual(
          ['skopeo', 'libc.so.6'].map((name) => `/opt/kubewright/skopeo/1.9.3-0a1b2c3d/${name}`),
        );
        expect(targets.slice(2)).toHaveLength(NAMES.length - present.length);
        return fake.durables[0]?.script;
      }),
    );
    expect(scripts[0]).toBe(scripts[1]);
  });

  it('are not sent while CRI-O does not say what it has', async () => {
    const silent = hostWith();
    await expect(importImages.probe(context(silent, 'importImages'))).rejects.toMatchObject({
      code: 'KW414',
      transient: true,
    });
    expect(silent.uploaded).toEqual([]);
  });
});
