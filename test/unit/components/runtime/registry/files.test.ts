import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { registryAuthorization } from '../../../../../src/activities/registry-login.js';
import { digestOf, Facts, factsProgram } from '../../../../../src/activities/remote-facts.js';
import { mirrored, placeOf, type RegistrySettings } from '../../../../../src/cluster/private-registry.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { importImages } from '../../../../../src/components/artifacts/images/importImages.js';
import { isPulled } from '../../../../../src/components/runtime/archives.js';
import { registryFiles as ofContainerd } from '../../../../../src/components/runtime/containerd/render/hosts.js';
import { configureRuntime } from '../../../../../src/components/runtime/containerd/steps/configureRuntime.js';
import {
  registryFiles as ofCrio,
  renderRegistries,
} from '../../../../../src/components/runtime/crio/render/registry.js';
import { registryChanges, registryFacts } from '../../../../../src/components/runtime/registry-files.js';
import { redact } from '../../../../../src/hosts/redact.js';
import { bundledCluster, newHost, TO_DO } from '../../../activities/prepare/bundled.js';
import { contextOn } from '../../../activities/prepare/fake-host.js';
import { expectGolden } from '../../../render/golden.js';

const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const REGISTRY: RegistrySettings = {
  address: 'registry.example.org:5000/mirror',
  paths: { 'registry.k8s.io': 'google_containers', 'quay.io': '' },
  ca: CA,
  loginEnv: 'REGISTRY_LOGIN',
  images: 'missing',
};
const PLAIN: RegistrySettings = { ...REGISTRY, address: 'http://10.88.0.1:5000', ca: null, loginEnv: null };
const LOGIN = `Basic ${Buffer.from('puller:s3cret-of-the-registry').toString('base64')}`;

beforeEach(() => void vi.stubEnv('REGISTRY_LOGIN', 'puller:s3cret-of-the-registry'));
afterEach(() => void vi.unstubAllEnvs());

describe('a registry of the user', () => {
  it('is read in its parts, and has images where its paths say', () => {
    expect(placeOf(REGISTRY.address)).toEqual({ scheme: 'https', host: 'registry.example.org:5000', path: 'mirror' });
    expect(placeOf(PLAIN.address)).toEqual({ scheme: 'http', host: '10.88.0.1:5000', path: '' });
    expect(mirrored(REGISTRY, 'registry.k8s.io/coredns/coredns:v1.14.2')).toEqual({
      repository: 'mirror/google_containers/coredns/coredns',
      reference: 'v1.14.2',
    });
    expect(mirrored(REGISTRY, 'quay.io/calico/node:v3@sha256:abc')).toEqual({
      repository: 'mirror/calico/node',
      reference: 'sha256:abc',
    });
    expect(mirrored(REGISTRY, 'kubewright.dev/load-balancer:1')).toBeUndefined();
  });

  it('becomes hosts.toml files of containerd, which ask nobody else', () => {
    const files = ofContainerd(REGISTRY, LOGIN).wanted;
    expectGolden('containerd-hosts.toml', files.get('/etc/containerd/certs.d/registry.k8s.io/hosts.toml') ?? '');
    expect([...files.keys()]).toEqual([
      '/etc/containerd/kubewright-registry-ca.crt',
      '/etc/containerd/certs.d/registry.k8s.io/hosts.toml',
      '/etc/containerd/certs.d/quay.io/hosts.toml',
    ]);
    const plain = parse(ofContainerd(PLAIN, undefined).wanted.get('/etc/containerd/certs.d/quay.io/hosts.toml') ?? '');
    expect(plain).toEqual({
      server: 'http://10.88.0.1:5000/v2',
      capabilities: ['pull', 'resolve'],
      override_path: true,
      host: { 'http://10.88.0.1:5000/v2': { capabilities: ['pull', 'resolve'], override_path: true } },
    });
  });

  it("becomes CRI-O's registries, its certificates and its login", () => {
    expectGolden('crio-registries.conf', renderRegistries(REGISTRY));
    expect(parse(renderRegistries(PLAIN)).registry).toContainEqual({
      prefix: 'quay.io',
      location: '10.88.0.1:5000',
      insecure: true,
    });
    const files = ofCrio(REGISTRY, LOGIN).wanted;
    expect(files.get('/etc/containers/certs.d/registry.example.org:5000/kubewright-registry.crt')).toBe(CA);
    expect(JSON.parse(files.get('/etc/crio/registry-auth.json') ?? '')).toEqual({
      auths: { 'registry.example.org:5000': { auth: LOGIN.slice('Basic '.length) } },
    });
  });

  it('has its login in the environment of the worker, and in nothing that is shown', () => {
    expect(registryAuthorization(REGISTRY)).toBe(LOGIN);
    expect(redact(`login puller:s3cret-of-the-registry ${LOGIN}`)).not.toContain('s3cret-of-the-registry');
    expect(redact(LOGIN)).not.toContain(LOGIN.slice('Basic '.length));
    for (const value of ['', 'only-a-name']) {
      vi.stubEnv('REGISTRY_LOGIN', value);
      expect(() => registryAuthorization(REGISTRY)).toThrowError(expect.objectContaining({ code: 'KW368' }));
    }
    expect(registryAuthorization(PLAIN)).toBeUndefined();
  });
});

describe('what an earlier registry left', () => {
  it('is taken away where it is ours, and only there', async () => {
    const root = await mkdtemp(join(tmpdir(), 'kubewright-registry-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    for (const [host, text] of [
      ['registry.k8s.io', '# Written by Kubewright for packages.registry.\n'],
      ['quay.io', '# by hand\n'],
      ['ghcr.io', '# Written by Kubewright for packages.registry.\n'],
    ] as const) {
      await mkdir(join(root, host), { recursive: true });
      await writeFile(join(root, host, 'hosts.toml'), text);
    }
    const wanted = new Map([[join(root, 'ghcr.io/hosts.toml'), '# Written by Kubewright for packages.registry.\n']]);
    const files = { wanted, ours: [`${root}/*/hosts.toml`] };
    const { stdout } = await execa('bash', ['--norc', '-c', factsProgram(registryFacts(files))]);
    expect(registryChanges(files, new Facts(stdout))).toEqual([`remove ${root}/registry.k8s.io/hosts.toml`]);
  });
});

describe('containerd with a registry of the user', () => {
  const base = bundledCluster();
  const cluster = (images: RegistrySettings['images'] = 'missing'): Cluster => ({
    ...base,
    packages: { ...base.packages, registry: { ...REGISTRY, images } },
  });
  const HOSTS = '/etc/containerd/certs.d/registry.k8s.io/hosts.toml';

  it('gets its files, reads where they are, and nothing that is told names the login', async () => {
    const fake = newHost();
    const modes: (number | undefined)[] = [];
    const { writeFile: write } = fake.remote;
    fake.remote.writeFile = (path, content, options) => {
      if (path === HOSTS) modes.push(options?.mode);
      return write(path, content, options);
    };
    const context = contextOn(fake, cluster(), 'configureRuntime');
    const before = await configureRuntime.probe(context);
    expect(before.changes).toContain(`write ${HOSTS}`);
    await configureRuntime.apply(context, TO_DO);
    expect(modes).toEqual([0o600]);
    expect(fake.written.get(HOSTS)).toContain(LOGIN);
    expect(fake.written.get('/etc/containerd/config.toml')).toContain('config_path = "/etc/containerd/certs.d"');
    for (const [path, text] of fake.written) fake.facts.set(`registry:${path}`, digestOf(text));
    const after = await configureRuntime.probe(context);
    expect(after.changes).not.toContain(`write ${HOSTS}`);
    expect(JSON.stringify([before, after, fake.durables])).not.toContain(LOGIN.slice('Basic '.length));
  });

  it('is not touched where the login is not there', async () => {
    vi.stubEnv('REGISTRY_LOGIN', '');
    const fake = newHost();
    const context = contextOn(fake, cluster(), 'configureRuntime');
    await expect(configureRuntime.apply(context, TO_DO)).rejects.toMatchObject({ code: 'KW368' });
    expect([...fake.written, ...fake.uploaded]).toEqual([]);
  });

  it('pulls all images where the file says so, but for those that nobody publishes', async () => {
    const fake = newHost();
    fake.facts.set('check', 'REF').set('list', 'REF');
    await importImages.apply(contextOn(fake, cluster('all'), 'importImages'), TO_DO);
    expect(fake.uploaded).toEqual([]);
    const script = fake.durables[0]?.script ?? '';
    expect(script).toContain('ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d "$name"');
    expect(script).toContain('\n- registry.k8s.io/pause:3.10.1\n');
    expect(isPulled(cluster('all'), { names: ['kubewright.dev/load-balancer:1'] })).toBe(false);
    expect(isPulled(cluster(), { names: ['registry.k8s.io/pause:3.10.1'] })).toBe(false);
  });
});
