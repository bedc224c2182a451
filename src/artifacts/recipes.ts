import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../package-root.js';

/** Architectures as Go, Debian and the image registries name them. */
export type Architecture = 'amd64' | 'arm64';

/** The machine's own architecture, or undefined when it is none that Kubewright installs. */
export function machineArchitecture(): Architecture | undefined {
  return ({ x64: 'amd64', arm64: 'arm64' } as Record<string, Architecture>)[process.arch];
}

/** Folder of the package with one folder for each module of a bundle. */
const MODULES = 'src/artifacts/modules';

/**
 * One module in a folder of its own: a go.mod with `tool` lines (or the package in `tests`), pinned, and the go.sum that
 * its content must match.
 */
export interface GoRecipe {
  /** What bundle.json calls it among its versions. */
  name: string;
  /** The module's folder below `modules`. */
  module: string;
  /** Folder of the package that holds the module's folder, where it is not the one of bundles. */
  modules?: string;
  /** What a person calls it, for progress and errors. */
  title: string;
  /** The version that is written into bundle.json. */
  version: string;
  /** Name that `go build` gives a tool (the last part of its path) → name that it shall have. */
  binaries: Record<string, string>;
  /** The package whose tests are the program, where it is not the module's tools. */
  tests?: string;
  /** Added to `-s -w`. */
  ldflags?: string[];
  /** Build tags. */
  tags?: string[];
  /** Debian packages with the C libraries that it is linked with, found by pkg-config in a directory of our own. */
  libraries?: string[];
  /** Architectures on which it is C as well as Go; everywhere else, and by default, CGO_ENABLED=0. */
  cgo?: Architecture[];
}

const VERSION_PACKAGES = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];

/** Without these kubeadm calls itself v0.0.0 (hack/lib/version.sh of Kubernetes stamps the same variables). */
function kubernetesStamp(version: string): string[] {
  const [major, minor] = version.split('.');
  const variables = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return VERSION_PACKAGES.flatMap((path) =>
    Object.entries(variables).map(([name, value]) => `-X ${path}.${name}=${value}`),
  );
}

/** Tools that keep the names that `go build` gives them. */
export const same = (...names: string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, name]));

/** What is built with a release of Kubernetes: its kubeadm writes these versions into manifests, and the build compares. */
interface BuiltWith {
  etcd: string;
  coredns: string;
}

/** Releases with a recipe. cmd/kubeadm/app/constants/constants.go of each: DefaultEtcdVersion and CoreDNSVersion. */
const RELEASES: Record<string, BuiltWith> = {
  '1.34.3': { etcd: '3.6.5', coredns: '1.12.1' },
  '1.35.4': { etcd: '3.6.6', coredns: '1.13.1' },
  '1.36.3': { etcd: '3.6.8', coredns: '1.14.2' },
  '1.37.2': { etcd: '3.7.0', coredns: '1.14.6' },
};

/** Kubernetes versions that can be built from modules, the oldest first. */
export const BUILDABLE_KUBERNETES: readonly string[] = Object.keys(RELEASES);

/** The seven binaries of Kubernetes, and agnhost, the image that its own tests use to ask the network questions. */
export function kubernetesRecipe(version: string): GoRecipe {
  return {
    name: 'kubernetes',
    module: `kubernetes-${version}`,
    title: `Kubernetes ${version}`,
    version: `v${version}`,
    binaries: same(
      'kubeadm',
      'kubelet',
      'kubectl',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kube-proxy',
      'agnhost',
    ),
    ldflags: kubernetesStamp(version),
  };
}

export function etcdRecipe(version: string): GoRecipe {
  return {
    name: 'etcd',
    module: `etcd-${version}`,
    title: `etcd ${version}`,
    version: `v${version}`,
    binaries: { server: 'etcd', etcdctl: 'etcdctl', etcdutl: 'etcdutl' },
  };
}

export function corednsRecipe(version: string): GoRecipe {
  return {
    name: 'coredns',
    module: `coredns-${version}`,
    title: `CoreDNS ${version}`,
    version: `v${version}`,
    binaries: same('coredns'),
  };
}

/** Its UDP backend is C and exists on amd64 only; flannel's own Makefile draws the same line. */
export const flannelRecipe: GoRecipe = {
  name: 'flannel',
  module: 'flannel',
  title: 'flannel 0.28.4',
  version: 'v0.28.4',
  binaries: { flannel: 'flanneld' },
  ldflags: ['-X github.com/flannel-io/flannel/pkg/version.Version=v0.28.4', '-extldflags "-static"'],
  cgo: ['amd64'],
};

/** flannel's CNI plugin left this module after 0.9.1; the repository it moved to is not to be had as a module. */
export const flannelCniRecipe: GoRecipe = {
  name: 'flannel-cni',
  module: 'flannel-cni',
  title: 'flannel CNI plugin 0.9.1',
  version: 'v0.9.1',
  binaries: same('flannel'),
  ldflags: ['-X github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v0.9.1'],
};

export const cniRecipe: GoRecipe = {
  name: 'cni-plugins',
  module: 'cni-plugins',
  title: 'CNI plugins 1.7.1',
  version: 'v1.7.1',
  binaries: same('bridge', 'host-local', 'loopback', 'portmap', 'firewall', 'tuning', 'bandwidth'),
  ldflags: ['-X github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v1.7.1'],
};

export const crictlRecipe: GoRecipe = {
  name: 'cri-tools',
  module: 'cri-tools',
  title: 'crictl 1.36.0',
  version: 'v1.36.0',
  binaries: same('crictl'),
  ldflags: ['-X sigs.k8s.io/cri-tools/pkg/version.Version=v1.36.0'],
};

/** Of the long-term line 2.3, which is supported until April 2028 (containerd's RELEASES.md), for every Kubernetes from 1.34 on. */
export const containerdRecipe: GoRecipe = {
  name: 'containerd',
  module: 'containerd',
  title: 'containerd 2.3.7',
  version: 'v2.3.7',
  binaries: same('containerd', 'containerd-shim-runc-v2', 'ctr'),
  ldflags: ['-X github.com/containerd/containerd/v2/version.Version=v2.3.7'],
};

/** Linked statically, as its own releases are: it runs before anything of the host's libraries is of use. */
export const runcRecipe: GoRecipe = {
  name: 'runc',
  module: 'runc',
  title: 'runc 1.5.2',
  version: 'v1.5.2',
  binaries: same('runc'),
  ldflags: ['-extldflags "-static"'],
  tags: ['seccomp', 'netgo', 'osusergo'],
  libraries: ['libseccomp-dev'],
  cgo: ['amd64', 'arm64'],
};

/** The last release whose go.mod has no local replace: later ones do not build as a module. */
export const temporalCliRecipe: GoRecipe = {
  name: 'temporal',
  module: 'temporal',
  title: 'Temporal CLI 1.5.1',
  version: 'v1.5.1',
  binaries: same('temporal'),
  ldflags: ['-X github.com/temporalio/cli/temporalcli.Version=1.5.1'],
};

/** Apart from the CLI: that one does not build with a UI new enough to pause and reset activities (>= 2.47). */
export const temporalUiRecipe: GoRecipe = {
  name: 'temporal-ui',
  module: 'temporal-ui',
  title: 'Temporal UI 2.50.1',
  version: 'v2.50.1',
  binaries: { server: 'temporal-ui-server' },
};

/**
 * Every Go recipe of a bundle, the short ones first: while they are built, the modules of the long ones arrive.
 *
 * @param kubernetesVersion one of `BUILDABLE_KUBERNETES`
 * @throws RangeError for any other one
 */
export function bundleRecipes(kubernetesVersion: string): GoRecipe[] {
  const release = RELEASES[kubernetesVersion];
  if (release === undefined) throw new RangeError(`there is no recipe for Kubernetes ${kubernetesVersion}`);
  return [
    cniRecipe,
    flannelCniRecipe,
    etcdRecipe(release.etcd),
    crictlRecipe,
    runcRecipe,
    containerdRecipe,
    kubernetesRecipe(kubernetesVersion),
    flannelRecipe,
    corednsRecipe(release.coredns),
  ];
}

/** A file beside a recipe's go.mod: it is read from the sources, also by the compiled program. */
export function moduleFile({ modules = MODULES, module }: GoRecipe, ...path: string[]): string {
  return join(packageRoot(), modules, module, ...path);
}

/**
 * Twelve hexadecimal digits that change when anything changes that decides what is built: the recipes, their go.mod
 * and go.sum, and whatever else is given. What a person calls a recipe, and where its files lie, decides nothing.
 */
export async function recipeHash(recipes: GoRecipe[], ...more: string[]): Promise<string> {
  const hash = createHash('sha256').update(
    JSON.stringify([recipes.map(({ name, title, modules, ...rest }) => rest), more]),
  );
  for (const recipe of recipes) {
    hash.update(await readFile(moduleFile(recipe, 'go.mod')));
    hash.update(await readFile(moduleFile(recipe, 'go.sum')));
  }
  return hash.digest('hex').slice(0, 12);
}
