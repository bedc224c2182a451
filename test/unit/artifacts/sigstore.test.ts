import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { loadTrust, whyNotSigned } from '../../../src/artifacts/official/sigstore.js';
import { type Bundle, file, image, readBundle } from '../../../src/bundle/bundle.js';
import { OriginServer, sha256 } from './origin-server.js';
import { publishEverything } from './published.js';
import { type Fault, SigstoreInstance } from './sigstore-instance.js';

const manifest = await readFile(fileURLToPath(new URL('./kube-flannel.yml.golden', import.meta.url)));
const pinned = fileURLToPath(
  new URL('../../../src/artifacts/official/keys/sigstore-trusted-root.json', import.meta.url),
);
const GOOGLE = 'https://accounts.google.com';
const STAGING = { subject: 'krel-staging@k8s-releng-prod.iam.gserviceaccount.com', issuer: GOOGLE };
const TRUST = { subject: 'krel-trust@k8s-releng-prod.iam.gserviceaccount.com', issuer: GOOGLE };
const RELEASE = '/dl.k8s.io/release/v1.34.3/bin/linux/amd64';
const PAUSE = '/registry.k8s.io/v2/pause';
const REKOR = '/rekor.sigstore.dev/api/v1/log/entries/retrieve';
let folder: string;
let sigstore: SigstoreInstance;
const trustedRoot = () => join(folder, 'sigstore-trusted-root.json');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubewright-sigstore-'));
  sigstore = await SigstoreInstance.create(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a signature by Sigstore', () => {
  const content = Buffer.from('the kubelet');
  const check = async (fault: Fault = {}, change = {}, expected = STAGING) => {
    const proof = await sigstore.sign(content, STAGING, fault);
    return whyNotSigned({ content, ...proof, ...change }, expected, await loadTrust(trustedRoot()));
  };

  it('holds', async () => {
    expect(await check()).toBeUndefined();
  });

  it.each([
    ['of another content', {}, { content: Buffer.from('another') }, STAGING, /digest mismatch/],
    ['by somebody else', {}, {}, TRUST, /identity/],
    ['by a login elsewhere', {}, {}, { ...STAGING, issuer: 'https://login.example' }, /issuer/],
    ['made after the certificate ran out', { signedAfter: 700 }, {}, STAGING, /certificate/],
    ['with a certificate that is in no log', { noSct: true }, {}, STAGING, /SCT/],
  ])('does not hold %s', async (_, fault, change, expected, why) => {
    expect(await check(fault, change, expected)).toMatch(why);
  });

  it.each([STAGING.subject.replace('.iam', 'xiam'), `${STAGING.subject}.example`, `not-${STAGING.subject}`])(
    'does not hold by a name that only looks like it: %s',
    async (subject) => {
      const proof = await sigstore.sign(content, { ...STAGING, subject });
      expect(whyNotSigned({ content, ...proof }, STAGING, await loadTrust(trustedRoot()))).toMatch(/identity/);
    },
  );

  it('does not hold with an entry that the log did not sign, or of another signature', async () => {
    const trust = await loadTrust(trustedRoot());
    const [one, two] = [await sigstore.sign(content, STAGING), await sigstore.sign(content, STAGING)];
    const later = { ...one.entry, integratedTime: one.entry.integratedTime + 1 };
    expect(whyNotSigned({ content, ...one, entry: later }, STAGING, trust)).toMatch(/inclusion promise/);
    expect(whyNotSigned({ content, ...one, entry: two.entry }, STAGING, trust)).toMatch(/signature mismatch/);
  });

  it("does not hold by an authority that is not the pinned one, which is Sigstore's public instance", async () => {
    const proof = await sigstore.sign(content, STAGING);
    expect(whyNotSigned({ content, ...proof }, STAGING, await loadTrust(pinned))).toBeDefined();
    const { certificateAuthorities, tlogs, ctlogs } = await loadTrust(pinned);
    expect(certificateAuthorities.length).toBeGreaterThan(0);
    expect(tlogs.map(({ baseURL }) => baseURL)).toContain('https://rekor.sigstore.dev');
    expect(ctlogs.length).toBeGreaterThan(0);
  });

  it('is not checked with a trusted root that is none', async () => {
    await writeFile(join(folder, 'no-root'), '{"certificateAuthorities": 7}');
    await expect(loadTrust(join(folder, 'no-root'))).rejects.toMatchObject({ code: 'KW739' });
  });
});

// Each makes a whole bundle, which costs seconds of a processor.
describe('a bundle of published releases', { timeout: 120_000 }, () => {
  let server: OriginServer;
  let cache: string;

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'kubewright-signed-'));
    vi.stubEnv('KUBEWRIGHT_CACHE', cache);
    server = new OriginServer();
    await server.start();
    await publishEverything(server, manifest);
    for (const name of ['kubeadm', 'kubelet', 'kubectl']) await signProgram(name);
    await signImage(PAUSE, '3.10.1');
    sigstore.serve(server, REKOR);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.stop();
    await rm(cache, { recursive: true, force: true });
  });

  async function signProgram(name: string, by = sigstore, signer = STAGING): Promise<void> {
    const content = server.files.get(`${RELEASE}/${name}`) ?? Buffer.alloc(0);
    const { signature, certificate } = await by.sign(content, signer);
    server.files.set(`${RELEASE}/${name}.sig`, Buffer.from(signature));
    // Once more in base64, as Kubernetes publishes them.
    server.files.set(`${RELEASE}/${name}.cert`, Buffer.from(Buffer.from(certificate).toString('base64')));
  }

  async function signImage(repository: string, tag: string, signer = TRUST, of?: string): Promise<void> {
    const digest = `sha256:${sha256(server.files.get(`${repository}/manifests/${tag}`) ?? '')}`;
    const image = { 'docker-manifest-digest': of ?? digest };
    const payload = Buffer.from(JSON.stringify({ critical: { identity: {}, image, type: 'cosign' }, optional: null }));
    const { signature, certificate, entry } = await sigstore.sign(payload, signer);
    const { signedEntryTimestamp: SignedEntryTimestamp, ...Payload } = entry;
    const annotations = {
      'dev.cosignproject.cosign/signature': signature,
      'dev.sigstore.cosign/certificate': certificate,
      'dev.sigstore.cosign/bundle': JSON.stringify({ SignedEntryTimestamp, Payload }),
    };
    const put = (bytes: Buffer) => {
      server.files.set(`${repository}/blobs/sha256:${sha256(bytes)}`, bytes);
      return { digest: `sha256:${sha256(bytes)}`, size: bytes.length };
    };
    // Mirrors add signatures of their own: that one is for others to check.
    const layers = [put(Buffer.from('{}')), { ...put(payload), annotations }];
    const path = `${repository}/manifests/${digest.replace(':', '-')}.sig`;
    server.files.set(path, Buffer.from(JSON.stringify({ config: put(Buffer.from('{"a":1}')), layers })));
    server.types.set(path, 'application/vnd.oci.image.manifest.v1+json');
  }

  const create = async (more = {}): Promise<Bundle> => {
    const origins = resolveOrigins([server.url], {});
    const options = { version: '1.34.3', arch: 'amd64', from: 'official', origins, keys: folder, ...more } as const;
    return readBundle(await ensureBundle(options));
  };
  const verified = ({ subject, issuer }: typeof STAGING) => ({
    state: 'verified',
    detail: `Sigstore: ${subject}, by ${issuer}`,
  });

  it('has the signatures of its programs and images verified', async () => {
    const bundle = await create();
    for (const name of ['kubeadm', 'kubelet', 'kubectl']) {
      expect(file(bundle, `bin/${name}`).vouched?.signature).toEqual(verified(STAGING));
    }
    expect(image(bundle, 'registry.k8s.io/pause:').vouched?.signature).toEqual(verified(TRUST));
    expect(image(bundle, 'registry.k8s.io/etcd:').vouched?.signature?.state).toBe('unchecked');
    expect(image(bundle, 'ghcr.io/flannel-io/flannel:').vouched?.signature?.state).toBe('none');
  });

  it.each(['kubeadm', 'kubelet'])('is not made of a %s that was changed with its checksum', async (name) => {
    // kubeadm is run to list its images: this one would leave a trace.
    const changed = Buffer.from(`#!/bin/sh\ntouch ${cache}/was-run\n`);
    server.publish(`${RELEASE}/${name}`, changed);
    await expect(create()).rejects.toMatchObject({
      code: 'KW738',
      message: expect.stringContaining(`${RELEASE}/${name} does not hold: `),
    });
    await expect(readFile(join(cache, 'was-run'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not made of an image whose signature is for another one, or by somebody else', async () => {
    await signImage(PAUSE, '3.10.1', TRUST, `sha256:${'0'.repeat(64)}`);
    await expect(create()).rejects.toMatchObject({
      code: 'KW738',
      message: expect.stringContaining('it is for sha256:000'),
    });
    await signImage(PAUSE, '3.10.1', STAGING);
    await expect(create()).rejects.toMatchObject({ code: 'KW738', message: expect.stringContaining('identity') });
  });

  it('is not made of programs that another Sigstore signed, or somebody else', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'kubewright-elsewhere-'));
    const other = await SigstoreInstance.create(elsewhere);
    const refusal = async (why: string) =>
      expect(create()).rejects.toMatchObject({ code: 'KW738', message: expect.stringContaining(why) });
    await signProgram('kubelet', other);
    await refusal("is not of Sigstore's authority");
    await signProgram('kubelet', sigstore, TRUST);
    await refusal(`is for email:${TRUST.subject}`);
    await rm(elsewhere, { recursive: true, force: true });
  });

  it.each([
    ['is not reached', () => server.files.delete(REKOR), 'rekor.sigstore.dev says 404'],
    ['does not know them', () => sigstore.forget(), 'does not know it'],
  ])('is made where the log %s, says so, and is refused where signatures are required', async (_, change, why) => {
    change();
    const signature = file(await create(), 'bin/kubelet').vouched?.signature;
    expect(signature).toEqual({ state: 'unchecked', detail: expect.stringContaining(why) });
    await rm(join(cache, 'bundles'), { recursive: true });
    await expect(create({ requireSignatures: true })).rejects.toMatchObject({
      code: 'KW738',
      message: expect.stringContaining('could not be verified'),
    });
  });

  it('is refused where signatures are required and a mirror does not carry one', async () => {
    await expect(create({ requireSignatures: true })).rejects.toMatchObject({
      code: 'KW738',
      message: expect.stringMatching(/could not be verified: (there is none at|the registry has no such)/),
    });
  });
});
