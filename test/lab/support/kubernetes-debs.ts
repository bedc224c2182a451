import { basename } from 'node:path';
import { programOf } from '../../../lab/artifacts/programs.js';
import type { Bundle } from '../../../src/bundle/bundle.js';
import type { DebPackage } from './deb-repository.js';

/** As the package of pkgs.k8s.io has it. */
const KUBELET_UNIT = `[Unit]
Description=kubelet: The Kubernetes Node Agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`;

const KUBELET_DROP_IN = `[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

/** containerd's own unit, as packages have it. */
const CONTAINERD_UNIT = `[Unit]
Description=containerd container runtime
After=network.target local-fs.target

[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;

/** What the package of a service does on Debian when it is installed. */
const starting = (unit: string): string => `deb-systemd-helper enable ${unit} >/dev/null || true
systemctl --system daemon-reload >/dev/null || true
deb-systemd-invoke start ${unit} >/dev/null || true
`;

const text = (content: string) => ({ text: content, mode: 0o644 });

/** Files of a package with programs of a bundle, by the names that they have there. */
async function programs(bundle: Bundle, directory: string, names: readonly string[]): Promise<DebPackage['files']> {
  const pairs = names.map(async (name) => [`${directory}/${basename(name)}`, { from: await programOf(bundle, name) }]);
  return Object.fromEntries(await Promise.all(pairs));
}

/** Packages of Kubernetes with the programs of a bundle, laid out as those of pkgs.k8s.io; its kubelet begins at once where it may. */
export async function kubernetesDebs(bundle: Bundle): Promise<DebPackage[]> {
  const version = `${bundle.kubernetesVersion}-1.1`;
  const bin = (...names: string[]) =>
    programs(
      bundle,
      '/usr/bin',
      names.map((name) => `bin/${name}`),
    );
  const plugins = bundle.files.map(({ path }) => path).filter((path) => /^cni\/(?!flannel$)/.test(path));
  const unit = '/usr/lib/systemd/system/kubelet.service';
  const kubelet = {
    ...(await bin('kubelet')),
    [unit]: text(KUBELET_UNIT),
    [`${unit}.d/10-kubeadm.conf`]: text(KUBELET_DROP_IN),
  };
  const needs = (names: string) => [`Depends: ${names}`];
  return [
    {
      ...{ name: 'kubelet', version, files: kubelet, postinst: starting('kubelet.service') },
      control: needs('iptables (>= 1.4.21), kubernetes-cni (>= 1.2.0), mount, util-linux'),
    },
    { name: 'kubeadm', version, files: await bin('kubeadm'), control: needs('cri-tools (>= 1.30.0)') },
    { name: 'kubectl', version, files: await bin('kubectl') },
    { name: 'cri-tools', version: '1.37.0-1.1', files: await bin('crictl') },
    { name: 'kubernetes-cni', version: '1.8.0-1.1', files: await programs(bundle, '/opt/cni/bin', plugins) },
  ];
}

/** Docker's package of containerd, which people install where their distribution's is too old, with the programs of a bundle. */
export async function dockersContainerd(bundle: Bundle): Promise<DebPackage> {
  const names = ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'].map((name) => `bin/${name}`);
  return {
    ...{ name: 'containerd.io', version: `${bundle.versions.containerd?.replace(/^v/, '') ?? '2.3.7'}-1` },
    control: ['Provides: containerd, runc', 'Conflicts: containerd, runc', 'Replaces: containerd, runc'],
    postinst: starting('containerd.service'),
    files: {
      ...(await programs(bundle, '/usr/bin', names)),
      '/usr/lib/systemd/system/containerd.service': text(CONTAINERD_UNIT),
    },
  };
}
