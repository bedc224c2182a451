import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { CNI_PLUGINS } from '../../../src/artifacts/contents.js';
import { type TarEntry, tarBytes } from '../../../src/artifacts/oci/tar.js';
import { type OriginServer, sha256 } from './origin-server.js';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

export const KUBEADM_IMAGES = [
  'registry.k8s.io/kube-apiserver:v1.34.3',
  'registry.k8s.io/kube-controller-manager:v1.34.3',
  'registry.k8s.io/kube-scheduler:v1.34.3',
  'registry.k8s.io/kube-proxy:v1.34.3',
  'registry.k8s.io/coredns/coredns:v1.12.1',
  'registry.k8s.io/pause:3.10.1',
  'registry.k8s.io/etcd:3.6.5-0',
];

const OTHER_IMAGES = [
  'ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1',
  'ghcr.io/flannel-io/flannel:v0.28.4',
  'registry.k8s.io/e2e-test-images/agnhost:2.56',
];

/**
 * Puts onto the server what the real origins publish for Kubernetes 1.34.3, under the same paths: small stand-ins
 * instead of programs (kubeadm is a script that lists its images), and flannel's real manifest.
 */
export async function publishEverything(server: OriginServer, flannelManifest: Buffer): Promise<void> {
  for (const arch of ['amd64', 'arm64']) {
    const release = `/dl.k8s.io/release/v1.34.3/bin/linux/${arch}`;
    server.publish(`${release}/kubeadm`, Buffer.from(`#!/bin/sh\nprintf '%s\\n' ${KUBEADM_IMAGES.join(' ')}\n`));
    for (const name of ['kubelet', 'kubectl']) server.publish(`${release}/${name}`, program(`${name} for ${arch}`));
    await publishArchives(server, arch);
  }
  const raw = '/raw.githubusercontent.com/flannel-io/flannel/v0.28.4/Documentation/kube-flannel.yml';
  server.files.set(raw, flannelManifest);
  for (const name of [...KUBEADM_IMAGES, ...OTHER_IMAGES]) await publishImage(server, name);
}

async function publishArchives(server: OriginServer, arch: string): Promise<void> {
  const github = '/github.com';
  const crictl = await archive({ crictl: `crictl for ${arch}` });
  const crictlFolder = `${github}/kubernetes-sigs/cri-tools/releases/download/v1.34.0`;
  server.publish(`${crictlFolder}/crictl-v1.34.0-linux-${arch}.tar.gz`, crictl);

  const etcd = `etcd-v3.6.5-linux-${arch}`;
  const etcdArchive = await archive({
    [`${etcd}/etcdctl`]: 'etcdctl',
    [`${etcd}/etcdutl`]: 'etcdutl',
    [`${etcd}/etcd`]: 'etcd',
  });
  const etcdFolder = `${github}/etcd-io/etcd/releases/download/v3.6.5`;
  server.files.set(`${etcdFolder}/${etcd}.tar.gz`, etcdArchive);
  const sums = server.files.get(`${etcdFolder}/SHA256SUMS`)?.toString() ?? '';
  const line = `${sha256(etcdArchive)}  ${etcd}.tar.gz\n`;
  server.files.set(`${etcdFolder}/SHA256SUMS`, Buffer.from(sums + line));

  const containerd = await archive({
    'bin/containerd': `containerd for ${arch}`,
    'bin/containerd-shim-runc-v2': `shim for ${arch}`,
    'bin/containerd-stress': 'not wanted',
    'bin/ctr': `ctr for ${arch}`,
  });
  const containerdPath = `${github}/containerd/containerd/releases/download/v2.3.7/containerd-static-2.3.7-linux-${arch}.tar.gz`;
  server.files.set(containerdPath, containerd);
  server.files.set(
    `${containerdPath}.sha256sum`,
    Buffer.from(`${sha256(containerd)}  containerd-static-2.3.7-linux-${arch}.tar.gz\n`),
  );
  publishRunc(server, arch);

  const plugins = Object.fromEntries([...CNI_PLUGINS, 'vlan'].map((name) => [`./${name}`, `${name} for ${arch}`]));
  const cniFolder = `${github}/containernetworking/plugins/releases/download/v1.7.1`;
  server.publish(`${cniFolder}/cni-plugins-linux-${arch}-v1.7.1.tgz`, await archive(plugins));
}

/** One list of sums for the programs of all architectures. */
function publishRunc(server: OriginServer, arch: string): void {
  const folder = '/github.com/opencontainers/runc/releases/download/v1.5.2';
  const bytes = program(`runc for ${arch}`);
  server.files.set(`${folder}/runc.${arch}`, bytes);
  const sums = server.files.get(`${folder}/runc.sha256sum`)?.toString() ?? '';
  server.files.set(`${folder}/runc.sha256sum`, Buffer.from(`${sums}${sha256(bytes)} *runc.${arch}\n`));
}

/** As registries have it: a tag that leads to an index, that to a manifest for each architecture, that to blobs. */
export async function publishImage(server: OriginServer, name: string): Promise<void> {
  const [, host, repository, tag] = /^([^/]+)\/(.+):(.+)$/.exec(name) ?? [];
  const base = `/${host}/v2/${repository}`;
  const put = (bytes: Buffer, mediaType: string) => {
    const digest = `sha256:${sha256(bytes)}`;
    server.files.set(`${base}/blobs/${digest}`, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const manifests = [];
  for (const architecture of ['amd64', 'arm64']) {
    const content: Record<string, string> = { tool: name };
    if (name.includes('flannel-cni-plugin')) content.flannel = `plugin for ${architecture}`;
    // Large enough to break off in the middle, and not to be packed smaller.
    if (name.includes('kube-scheduler')) content.ballast = randomBytes(1_000_000).toString('latin1');
    const layer = put(await archive(content), 'application/vnd.docker.image.rootfs.diff.tar.gzip');
    const config = put(
      Buffer.from(JSON.stringify({ architecture, name })),
      'application/vnd.docker.container.image.v1+json',
    );
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }));
    const digest = `sha256:${sha256(manifest)}`;
    server.files.set(`${base}/manifests/${digest}`, manifest);
    server.types.set(`${base}/manifests/${digest}`, MANIFEST);
    manifests.push({ mediaType: MANIFEST, digest, size: manifest.length, platform: { architecture, os: 'linux' } });
  }
  server.files.set(
    `${base}/manifests/${tag}`,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })),
  );
  server.types.set(`${base}/manifests/${tag}`, INDEX);
}

function program(text: string): Buffer {
  return Buffer.from(`#!/bin/sh\necho '${text}'\n`);
}

export async function archive(files: Record<string, string>): Promise<Buffer> {
  const entries = Object.entries(files).map(([path, text]): TarEntry => {
    return { path, type: 'file', mode: 0o755, content: program(text) };
  });
  const chunks: Buffer[] = [];
  for await (const chunk of tarBytes(entries)) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}
