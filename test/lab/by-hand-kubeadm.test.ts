import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { ensureBundle } from '../../src/artifacts/bundle.js';
import { type Bundle, pauseImage, readBundle } from '../../src/bundle/bundle.js';
import { DEFAULTS } from '../../src/cluster/defaults.js';

/**
 * What a person would do on bare hosts, with kubeadm and the bundle and none of Kubewright's own steps: it proves that
 * the lab's hosts carry a cluster, whatever the installer does on them.
 */
const VERSION = DEFAULTS.kubernetes.version;

let lab: Lab;
let bundle: Bundle;

beforeAll(async () => {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  bundle = await readBundle(await ensureBundle({ version: VERSION, arch }));
  lab = await labUp({ name: 'by-hand', hosts: 2, replace: true });
  await Promise.all(lab.hosts.map(prepare));
});

afterAll(async () => {
  await lab?.down();
});

async function send(host: LabHost, files: string[], directory: string): Promise<void> {
  await execa('scp', ['-F', lab.files.sshConfig, '-q', '-p', ...files, `${host.name}:${directory}`]);
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(join(bundle.directory, folder))).map((name) => join(bundle.directory, folder, name));
}

async function sendPrograms(host: LabHost, folder: string, directory: string): Promise<void> {
  await send(host, await filesIn(folder), `${directory}/`);
  await host.ssh(`gzip -d ${directory}/*.gz && chmod 755 ${directory}/*`, { timeoutMs: 120_000 });
}

async function prepare(host: LabHost): Promise<void> {
  await host.ssh('mkdir -p /opt/cni/bin /tmp/images');
  await sendPrograms(host, 'bin', '/usr/local/bin');
  const images = (await filesIn('images')).filter((path) => !path.includes('agnhost'));
  await send(host, images, '/tmp/images/');
  await sendPrograms(host, 'cni', '/opt/cni/bin');
  await host.ssh(runtime(pauseImage(bundle).names[0] ?? ''), { timeoutMs: 300_000 });
}

/** restrict_oom_score_adj is what only a lab needs (see the lab's cluster.yaml). */
const runtime = (pause: string): string => `
set -e
mkdir -p /etc/containerd
cat > /etc/containerd/config.toml <<'END'
version = 3
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pause}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = true
END
cat > /etc/systemd/system/containerd.service <<'END'
[Service]
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now containerd
for image in /tmp/images/*.tar; do
  ctr --namespace k8s.io images import "$image"
done
printf '%s\\n' net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 > /etc/sysctl.d/99-kubernetes.conf
sysctl --system
cat > /etc/systemd/system/kubelet.service <<'END'
[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/local/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable kubelet`;

/** kubeadm's own configuration; the connection table and cgroup v1 are what only a lab needs (see the lab's cluster.yaml). */
function kubeadmConfig(host: LabHost): string {
  return `
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: ${host.address} }
nodeRegistration:
  name: ${host.name}
  ignorePreflightErrors: [SystemVerification]
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
failCgroupV1: false
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v${VERSION}
networking: { podSubnet: 10.244.0.0/16 }
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: { maxPerCore: 0, min: 0 }
`;
}

const KUBECTL = 'kubectl --kubeconfig /etc/kubernetes/admin.conf';

test('kubeadm init by hand brings up an API server from the bundle', async () => {
  const host = lab.host('cp-1');
  await host.ssh('cat > /root/kubeadm.yaml', { input: kubeadmConfig(host) });
  await host.ssh('kubeadm init --config /root/kubeadm.yaml', { timeoutMs: 300_000 });

  const { stdout } = await execa('curl', ['-sk', `https://${host.address}:6443/version`]);
  expect(JSON.parse(stdout)).toMatchObject({ gitVersion: `v${VERSION}` });
});

test('a second host joins, and both become Ready with a network', async () => {
  const first = lab.host('cp-1');
  const { stdout: command } = await first.ssh('kubeadm token create --print-join-command');
  await lab.host('w-1').ssh(`${command.trim()} --ignore-preflight-errors=SystemVerification`, { timeoutMs: 300_000 });
  await send(first, [join(bundle.directory, 'manifests/kube-flannel.yml')], '/root/');
  await first.ssh(`${KUBECTL} apply -f /root/kube-flannel.yml`);

  await first.ssh(`${KUBECTL} wait --for=condition=Ready node/cp-1 node/w-1 --timeout=180s`, { timeoutMs: 200_000 });
  const { stdout } = await first.ssh(`${KUBECTL} get nodes -o name`);
  expect(stdout.split('\n')).toEqual(['node/cp-1', 'node/w-1']);
});

test('pods run on the second host: kube-proxy and CoreDNS are ready', async () => {
  const first = lab.host('cp-1');
  await first.ssh(
    `${KUBECTL} -n kube-system rollout status daemonset/kube-proxy --timeout=120s &&
     ${KUBECTL} -n kube-system rollout status deployment/coredns --timeout=120s`,
    { timeoutMs: 250_000 },
  );
});
