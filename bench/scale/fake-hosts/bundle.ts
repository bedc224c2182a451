import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const IMAGES: Record<string, string[]> = {
  'control-plane': ['kube-apiserver:v%', 'kube-controller-manager:v%', 'kube-scheduler:v%'],
  etcd: ['etcd:3.6.5-0'],
  'every-node': [
    'coredns/coredns:v1.12.1',
    'pause:3.10.1',
    'kube-proxy:v%',
    'flannel:v0.28.4',
    'flannel-cni-plugin:v1.9.1',
  ],
  check: ['e2e-test-images/agnhost:2.56'],
};
const RUNTIME = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'];
const VERSIONS = {
  kubernetes: 'v1.0.0',
  etcd: 'v1.0.0',
  'cri-tools': 'v1.0.0',
  containerd: 'v2.0.0',
  runc: 'v1.0.0',
  'load-balancer': '1.0.0',
};
const FILES = [
  ...['kubelet', 'kubeadm', 'crictl', 'kubectl', 'etcdctl', 'etcdutl', ...RUNTIME].map((name) => `bin/${name}`),
  ...['haproxy', 'keepalived', 'libc.so.6'].map((name) => `load-balancer/${name}`),
  ...['bridge', 'flannel', 'host-local', 'loopback', 'portmap'].map((name) => `cni/${name}`),
];

/** Bytes of a program or image, which are some 70 MB in truth: what is measured is not the line. */
const BYTES = 4_096;

/** Makes a bundle of the right shape for fake hosts, whose files are no programs. */
export async function makeFakeBundle(directory: string, kubernetesVersion: string): Promise<void> {
  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
    return factsOf(content);
  };
  const fake = (path: string) => Buffer.alloc(BYTES, `${path}: a fake\n`);
  const files = [];
  for (const path of FILES) {
    const packed = await put(`${path}.gz`, gzipSync(fake(path)));
    files.push({ path, ...factsOf(fake(path)), mode: 0o755, packed });
  }
  const manifest = 'manifests/kube-flannel.yml';
  files.push({ path: manifest, ...(await put(manifest, FLANNEL)), mode: 0o644 });
  const images = [];
  for (const [neededBy, names] of Object.entries(IMAGES)) {
    for (const name of names.map((each) => each.replace('%', kubernetesVersion))) {
      const file = `images/${name.replace(/[/:]/g, '-')}.tar`;
      images.push({
        file,
        names: [`registry.k8s.io/${name}`],
        neededBy,
        version: '1',
        ...(await put(file, fake(file))),
      });
    }
  }
  const described = {
    apiVersion: 'kubewright.dev/v1alpha1',
    kind: 'Bundle',
    kubernetesVersion,
    architecture: 'amd64',
    source: 'modules',
    versions: VERSIONS,
    files,
    images,
  };
  await put('bundle.json', JSON.stringify(described, null, 2));
}

function factsOf(content: string | Buffer): { sha256: string; size: number } {
  return { sha256: createHash('sha256').update(content).digest('hex'), size: Buffer.byteLength(content) };
}

/** As much of flannel's manifest as the steps look at. */
const FLANNEL = `kind: Namespace
apiVersion: v1
metadata:
  name: kube-flannel
---
kind: ConfigMap
apiVersion: v1
metadata:
  name: kube-flannel-cfg
  namespace: kube-flannel
data:
  net-conf.json: |
    {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: kube-flannel-ds
  namespace: kube-flannel
spec:
  template:
    spec:
      tolerations: []
      containers:
      - name: kube-flannel
        args:
        - --ip-masq
        env:
        - name: POD_NAME
          value: fake
`;
