import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../src/activities/remote-facts.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { FSTAB_PATH } from '../../../../src/render/fstab.js';
import { OWNER_PATH } from '../../../../src/render/owner.js';
import { clusterOf } from '../../cluster-fixture.js';
import { exists, here, lay, read, useOneHost } from '../check/host/one-host.js';
import { calls, keep, layHost, layNode, undo } from './one-host-reset.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const HOST = CLUSTER.hosts[0] as ClusterHost;

useOneHost();

/** A node of the cluster, on a host whose owner had something of their own there. */
async function node({ written = true } = {}): Promise<void> {
  layHost();
  if (written) expect((await keep(CLUSTER, HOST)).trim()).toBe('taken');
  layNode(CLUSTER.name);
}

describe('what a cluster made of a host is undone', () => {
  it('by taking away what is ours, and bringing back what stood in its place', async () => {
    await node();
    await undo(CLUSTER, HOST);
    for (const path of [
      '/etc/kubernetes',
      '/var/lib/kubelet',
      '/var/lib/etcd',
      '/var/lib/containerd',
      '/etc/cni',
      '/etc/sysctl.d/zz-kubewright.conf',
      '/etc/systemd/system/kubelet.service',
      '/etc/systemd/system/haproxy.service.d',
      '/var/machine-opt/kubewright',
      '/etc/haproxy/haproxy.cfg.kubewright-backup-20260101T000000.000Z',
    ])
      expect(exists(path), path).toBe(false);
    expect(read('/etc/haproxy/haproxy.cfg')).toBe('of a person\n');
    expect(read('/proc/sys/net/ipv4/ip_forward')).toBe('0\n');
    expect(read(FSTAB_PATH)).toBe('/dev/sda2 none swap sw 0 0\n');
    expect(calls()).toContain('swapon -- /dev/sda2');
    // Whose it is, and what it was, the comparison still has to know.
    expect(exists(OWNER_PATH)).toBe(true);
    expect(exists('/var/lib/kubewright/before/state')).toBe(true);
  });

  it('stops the kubelet first, then the pods, then the services, and starts what ran before', async () => {
    await node();
    lay('/var/test/state/runtime');
    lay('/var/test/state/pods', 'aaa\nbbb\n');
    await undo(CLUSTER, HOST);
    const order = [
      'systemctl stop kubelet.service',
      expect.stringMatching(/^crictl .*rmp --force (aaa|bbb)$/),
      'systemctl stop haproxy.service',
      'systemctl stop containerd.service',
      'systemctl enable --quiet haproxy.service',
      'systemctl restart haproxy.service',
    ];
    const at = order.map((line) =>
      calls().findIndex((call) => line === call || (typeof line !== 'string' && line.asymmetricMatch(call))),
    );
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(at).not.toContain(-1);
  });

  it('lets containers of others outlive a runtime of which it is not known whether it ran before', async () => {
    await node({ written: false });
    await undo(CLUSTER, HOST);
    expect(calls().filter((call) => call.startsWith('systemctl kill'))).toEqual([]);
    expect(calls()).toContain('systemctl stop containerd.service');
  });

  it('does not take a process that it does not see for one of its pods', async () => {
    await node();
    // "0" is what the kernel says of it, and to kill 0 would end this very script.
    lay('/var/machine-sys/fs/cgroup/kubepods.slice/cgroup.procs', '0\n');
    await undo(CLUSTER, HOST);
    expect(exists('/etc/kubernetes')).toBe(false);
  });

  it('deletes links and chains by name alone, with the rules that lead into them', async () => {
    await node();
    lay(
      '/var/test/state/rules',
      `*filter
:INPUT ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-FIREWALL - [0:0]
:FLANNEL-FWD - [0:0]
-A INPUT -m comment --comment "to KUBE -j X" -j KUBE-FIREWALL
-A INPUT -j DOCKER
-A DOCKER -j RETURN
-A KUBE-FIREWALL -j DROP
COMMIT
`,
    );
    lay('/var/test/state/table-kube-proxy');
    await undo(CLUSTER, HOST);
    expect(read('/var/test/state/restored')).toBe(`*filter
-D INPUT -m comment --comment "to KUBE -j X" -j KUBE-FIREWALL
-F KUBE-FIREWALL
-F FLANNEL-FWD
-X KUBE-FIREWALL
-X FLANNEL-FWD
COMMIT
`);
    const deleted = calls().filter((call) => /^ip link delete/.test(call));
    expect(deleted).toEqual(['ip link delete cni0', 'ip link delete flannel.1']);
    expect(calls().filter((call) => /flush| -F/.test(call))).toEqual([]);
    expect(calls()).toContain('nft delete table ip kube-proxy');
  });

  it('leaves chains and links that were there before, whatever their names', async () => {
    layHost();
    lay('/var/machine-sys/class/net/cni0/address');
    lay('/var/test/state/rules', '*filter\n:CNI-HOSTPORT - [0:0]\nCOMMIT\n');
    await keep(CLUSTER, HOST);
    layNode(CLUSTER.name);
    await undo(CLUSTER, HOST);
    expect(exists('/var/test/state/restored')).toBe(false);
    expect(calls()).not.toContain('ip link delete cni0');
  });

  it('takes an address from a card that the balancer left there', async () => {
    await node();
    lay('/var/test/state/vip', '2: eth0    inet 10.88.0.100/32 scope global eth0\n');
    await undo(CLUSTER, HOST);
    expect(calls()).toContain('ip address delete 10.88.0.100/32 dev eth0');
  });

  it('keeps folders that were there before, and whatever else is in them', async () => {
    layHost();
    lay('/etc/cni/net.d/20-of-a-person.conflist', '{}');
    lay('/etc/kubernetes/of-a-person', 'x');
    await keep(CLUSTER, HOST);
    layNode(CLUSTER.name);
    await undo(CLUSTER, HOST);
    expect(exists('/etc/cni/net.d/20-of-a-person.conflist')).toBe(true);
    expect(exists('/etc/cni/net.d/10-flannel.conflist')).toBe(false);
    expect(exists('/etc/kubernetes/of-a-person')).toBe(true);
    expect(exists('/etc/kubernetes/pki/ca.key')).toBe(false);
  });

  it('takes nothing away while something below is mounted, and says what', async () => {
    await node();
    lay('/proc/self/mountinfo', `30 22 0:5 / ${here('/var/lib/kubelet/pods/a\\040b')} rw - nfs4 nas:/x rw\n`);
    await expect(undo(CLUSTER, HOST)).rejects.toThrow();
    expect(exists('/var/lib/kubelet/config.yaml')).toBe(true);
    expect(calls()).toContain(`umount -- ${here('/var/lib/kubelet/pods/a b')}`);
  });

  it('leaves what others have mounted below a folder that was there before', async () => {
    layHost();
    lay('/run/containerd/of-others', 'x');
    await keep(CLUSTER, HOST);
    layNode(CLUSTER.name);
    lay('/proc/self/mountinfo', `30 22 0:5 / ${here('/run/containerd/io/rootfs')} rw - overlay overlay rw\n`);
    await undo(CLUSTER, HOST);
    expect(calls().filter((call) => call.startsWith('umount'))).toEqual([]);
    expect(exists('/run/containerd/of-others')).toBe(true);
  });

  it('takes files of cluster.yaml away by their record, but for one that a person has edited since', async () => {
    await node();
    for (const [name, content, digest] of [
      ['audit.yaml', 'ours\n', digestOf('ours\n')],
      ['edited.yaml', 'edited\n', digestOf('ours\n')],
    ] as const) {
      lay(`/etc/of-the-file/${name}`, content);
      lay(`/var/lib/kubewright/files/${name}`, `${digest} ${here(`/etc/of-the-file/${name}`)}\n`);
    }
    expect(await undo(CLUSTER, HOST)).toContain('edited.yaml, which was edited');
    expect(exists('/etc/of-the-file/audit.yaml')).toBe(false);
    expect(exists('/etc/of-the-file/edited.yaml')).toBe(true);
  });

  it('changes nothing on a host that is another cluster’s by then', async () => {
    await node();
    lay(OWNER_PATH, '{\n  "cluster": "other"\n}\n');
    await expect(undo(CLUSTER, HOST)).rejects.toThrow();
    expect(calls()).toEqual(calls().filter((call) => !/stop|delete/.test(call)));
    expect(exists('/etc/kubernetes/kubelet.conf')).toBe(true);
  });

  it('may be begun anew when it was done', async () => {
    await node();
    await undo(CLUSTER, HOST);
    await undo(CLUSTER, HOST);
    expect(read('/etc/haproxy/haproxy.cfg')).toBe('of a person\n');
  });

  it('where nothing is written down, leaves what may have been there before', async () => {
    await node({ written: false });
    await undo(CLUSTER, HOST);
    expect(exists('/var/lib/containerd/blob')).toBe(true);
    expect(read('/proc/sys/net/ipv4/ip_forward')).toBe('1\n');
    for (const path of ['/etc/kubernetes/kubelet.conf', '/var/lib/kubelet/config.yaml', '/var/lib/etcd/member'])
      expect(exists(path), path).toBe(false);
    expect(calls().filter((call) => /^(userdel|modprobe|apt-mark unhold)/.test(call))).toEqual([]);
  });

  it('removes an account that our own file made, and a hold that the host did not have', async () => {
    await node();
    lay('/var/test/state/held', 'kubelet\nof-a-person\n');
    await undo(CLUSTER, HOST);
    expect(calls()).toContain('userdel haproxy');
    expect(calls().filter((call) => /unhold/.test(call))).toEqual(['apt-mark unhold kubelet']);
  });

  it('leaves a hold alone that the host had before', async () => {
    layHost();
    lay('/var/test/state/held', 'kubelet\n');
    await keep(CLUSTER, HOST);
    layNode(CLUSTER.name);
    await undo(CLUSTER, HOST);
    expect(calls().filter((call) => /unhold/.test(call))).toEqual([]);
  });
});
