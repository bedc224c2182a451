import { CHECK_IMAGE } from '../../bundle/image-names.js';
import { FLANNEL_MANIFEST } from '../../components/network/published.js';
import { type Architecture, cniRecipe, containerdRecipe, runcRecipe } from '../recipes.js';
import { isOfBalancer } from './balancers.js';
import type { Origins } from './origins.js';
import type { Signing } from './signatures.js';

/** Raise this when the list below changes: it is part of the bundle's key in the cache. */
export const OFFICIAL_REVISION = 3;

/** A published file, and how its checksum is known. */
export interface Release {
  url: string;
  /** Address of a text that holds the SHA-256, or the SHA-256 itself. */
  checksum: { url: string } | { sha256: string };
  signing: Signing;
  /** File in the bundle → member of the archive; left out: the download is the file. */
  members?: Record<string, string>;
  /** Path in the bundle of a file that is no archive. */
  path?: string;
}

const nobody = (who: string): Signing => ({ by: 'nobody', why: `${who} publishes no signature that is known here` });

/** As kubernetes.io has it in "Verify Signed Kubernetes Artifacts": programs are signed when staged, images when promoted. */
const signedByKubernetes = (account: string): Signing => ({
  by: 'sigstore',
  identity: { subject: `${account}@k8s-releng-prod.iam.gserviceaccount.com`, issuer: 'https://accounts.google.com' },
});
const KUBERNETES_SIGNING = signedByKubernetes('krel-staging');
const IMAGES_SIGNING = signedByKubernetes('krel-trust');

/** How an image is signed: those of registry.k8s.io by who promotes them there. */
export function imageSigning(name: string): Signing {
  if (name.startsWith('registry.k8s.io/')) return IMAGES_SIGNING;
  if (name.startsWith('quay.io/cilium/')) return { by: 'others', why: "Cilium's images are signed by its workflows" };
  if (isOfBalancer(name)) return nobody('kube-vip');
  return nobody(name.startsWith('quay.io/calico/') ? 'Calico' : 'flannel');
}

/** What checks ask DNS with. */
export const AGNHOST = CHECK_IMAGE;

/** kubeadm and others as Kubernetes publishes them. */
export function kubernetesRelease(name: string, version: string, arch: Architecture, origins: Origins): Release {
  const url = `${origins['dl.k8s.io']}/release/v${version}/bin/linux/${arch}/${name}`;
  return { url, checksum: { url: `${url}.sha256` }, signing: KUBERNETES_SIGNING, path: `bin/${name}` };
}

/** crictl is released with each minor version of Kubernetes, as `vMAJOR.MINOR.0`. */
export function crictlVersion(kubernetesVersion: string): string {
  return `v${kubernetesVersion.split('.').slice(0, 2).join('.')}.0`;
}

export function crictlRelease(kubernetesVersion: string, arch: Architecture, origins: Origins): Release {
  const version = crictlVersion(kubernetesVersion);
  const folder = `${origins['github.com']}/kubernetes-sigs/cri-tools/releases/download/${version}`;
  const url = `${folder}/crictl-${version}-linux-${arch}.tar.gz`;
  const signing = nobody('cri-tools');
  return { url, checksum: { url: `${url}.sha256` }, signing, members: { 'bin/crictl': 'crictl' } };
}

/** @param tag of the etcd image, such as `3.6.5-0`: the part before the dash is etcd's own version */
export function etcdRelease(tag: string, arch: Architecture, origins: Origins): Release {
  const version = `v${tag.split('-')[0]}`;
  const folder = `${origins['github.com']}/etcd-io/etcd/releases/download/${version}`;
  const name = `etcd-${version}-linux-${arch}`;
  return {
    url: `${folder}/${name}.tar.gz`,
    checksum: { url: `${folder}/SHA256SUMS` },
    signing: nobody('etcd'),
    members: Object.fromEntries(
      ['etcd', 'etcdctl', 'etcdutl'].map((program) => [`bin/${program}`, `${name}/${program}`]),
    ),
  };
}

export function cniRelease(plugins: string[], arch: Architecture, origins: Origins): Release {
  const { version } = cniRecipe;
  const folder = `${origins['github.com']}/containernetworking/plugins/releases/download/${version}`;
  const url = `${folder}/cni-plugins-linux-${arch}-${version}.tgz`;
  const members = Object.fromEntries(plugins.map((name) => [`cni/${name}`, `./${name}`]));
  return { url, checksum: { url: `${url}.sha256` }, signing: nobody('the CNI project'), members };
}

/** The statically linked archive: what hosts have for a C library must not matter. */
export function containerdRelease(arch: Architecture, origins: Origins): Release {
  const { version } = containerdRecipe;
  const name = `containerd-static-${version.slice(1)}-linux-${arch}.tar.gz`;
  const url = `${origins['github.com']}/containerd/containerd/releases/download/${version}/${name}`;
  const programs = ['containerd', 'containerd-shim-runc-v2', 'ctr'];
  const members = Object.fromEntries(programs.map((program) => [`bin/${program}`, `bin/${program}`]));
  const why = "containerd's attestations of provenance lie at GitHub's API, apart from its releases";
  return { url, checksum: { url: `${url}.sha256sum` }, signing: { by: 'others', why }, members };
}

/**
 * runc is published as one static program for each architecture, one list of sums for all of them, and a signature for each by
 * a maintainer whose key is in the release's own runc.keyring (script/release_sign.sh there).
 */
export function runcRelease(arch: Architecture, origins: Origins): Release {
  const folder = `${origins['github.com']}/opencontainers/runc/releases/download/${runcRecipe.version}`;
  const url = `${folder}/runc.${arch}`;
  const signing: Signing = { by: 'gpg', url: `${url}.asc`, keyring: 'runc.keyring' };
  return { url, checksum: { url: `${folder}/runc.sha256sum` }, signing, path: 'bin/runc' };
}

export function flannelRelease(path: string, origins: Origins): Release {
  const url = `${origins['raw.githubusercontent.com']}${FLANNEL_MANIFEST.path}`;
  return { url, checksum: { sha256: FLANNEL_MANIFEST.sha256 }, signing: nobody('flannel'), path };
}

/** Renders Cilium's chart on control planes. */
export const HELM_VERSION = 'v4.3.1';

export function helmRelease(arch: Architecture, origins: Origins): Release {
  const name = `helm-${HELM_VERSION}-linux-${arch}.tar.gz`;
  const url = `${origins['get.helm.sh']}/${name}`;
  const why = "Helm's OpenPGP signatures lie beside its releases at GitHub, apart from get.helm.sh";
  return {
    url,
    checksum: { url: `${url}.sha256sum` },
    signing: { by: 'others', why },
    members: { 'bin/helm': `linux-${arch}/helm` },
  };
}
