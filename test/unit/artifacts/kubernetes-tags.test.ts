import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTags, requireTagged } from '../../../src/artifacts/from-modules/kubernetes.js';

let source: string;

beforeEach(async () => {
  source = await mkdtemp(join(tmpdir(), 'kubewright-kubernetes-'));
});

afterEach(() => rm(source, { recursive: true, force: true }));

async function sourcesSay(constants: string, images = IMAGES): Promise<void> {
  await mkdir(join(source, 'cmd/kubeadm/app/constants'), { recursive: true });
  await mkdir(join(source, 'test/images/agnhost'), { recursive: true });
  await writeFile(join(source, 'cmd/kubeadm/app/constants/constants.go'), constants);
  await mkdir(join(source, 'test/utils/image'), { recursive: true });
  await writeFile(join(source, 'test/images/agnhost/VERSION'), '2.59\n');
  await writeFile(join(source, 'test/utils/image/manifest.go'), images);
}

/** As the file stands in 1.37.2. */
const CONSTANTS = `
	// DefaultEtcdVersion indicates the default etcd version that kubeadm uses
	DefaultEtcdVersion = "3.7.0-0"

	// CoreDNSVersion is the version of CoreDNS to be deployed if it is used
	CoreDNSVersion = "v1.14.6"

	// PauseVersion indicates the default pause image version for kubeadm
	PauseVersion = "3.10.2"
`;

/** As the file stands in 1.37.2, in part. */
const IMAGES = `
	configs[AgnhostPrev] = Config{list.PromoterE2eRegistry, "agnhost", "2.55"}
	configs[Agnhost] = Config{list.PromoterE2eRegistry, "agnhost", "2.66.1"}
	configs[AgnhostPrivate] = Config{list.PrivateRegistry, "agnhost", "2.6"}
	configs[GlibcDnsTesting] = Config{list.PromoterE2eRegistry, "glibc-dns-testing", "2.1.1"}
	configs[Nginx] = Config{list.PromoterE2eRegistry, "nginx", "1.27.0-2"}
`;

const suite = [
  'registry.k8s.io/e2e-test-images/agnhost:2.66.1',
  'registry.k8s.io/e2e-test-images/glibc-dns-testing:2.1.1',
];

describe('what kubeadm asks for', () => {
  it('is read from its sources', async () => {
    await sourcesSay(CONSTANTS);
    const tags = { coredns: 'v1.14.6', etcd: '3.7.0-0', pause: '3.10.2', agnhost: '2.59', suite };
    expect(await readTags(source)).toEqual(tags);
    expect(() => requireTagged('1.37.2', tags, { etcd: 'v3.7.0', coredns: 'v1.14.6' })).not.toThrow();
  });

  it('is not guessed where they say it in another way', async () => {
    await sourcesSay(CONSTANTS.replace('DefaultEtcdVersion = ', 'DefaultEtcdVersion string = '));
    await expect(readTags(source)).rejects.toMatchObject({ code: 'KW713' });
    await sourcesSay(CONSTANTS, IMAGES.replaceAll('Config{', 'NewConfig{'));
    await expect(readTags(source)).rejects.toMatchObject({ code: 'KW713' });
  });

  it('is what was built, or the bundle is not made', () => {
    const tags = { coredns: 'v1.14.6', etcd: '3.7.0-0', pause: '3.10.2', agnhost: '2.59', suite };
    expect(() => requireTagged('1.37.2', tags, { etcd: 'v3.6.8', coredns: 'v1.14.6' })).toThrow(
      'kubeadm of Kubernetes 1.37.2 asks for etcd v3.7.0, and v3.6.8 was built.',
    );
  });
});
