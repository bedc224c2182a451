import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { implementations } from '../../src/activities/registry.js';
import { ensureBundle } from '../../src/artifacts/bundle.js';
import type { Cluster } from '../../src/cluster/types.js';
import type { Hosts } from '../../src/hosts/index.js';
import { planInstall } from '../../src/plan/install.js';
import type { Step } from '../../src/plan/types.js';
import { clusterOfLab, eventually, poolOf } from './lab-hosts.js';
import { runPlan, runStep } from './steps-harness.js';

/** The steps that come before etcd and kubeadm, on real hosts; what they claim is looked at from outside. */
let lab: Lab;
let cluster: Cluster;
let hosts: Hosts;
let controlPlane: LabHost;
let worker: LabHost;

beforeAll(async () => {
  lab = await labUp({ name: 'prepare', hosts: 2, replace: true });
  cluster = await clusterOfLab(lab);
  await ensureBundle({ version: cluster.kubernetes.version, arch: process.arch === 'arm64' ? 'arm64' : 'amd64' });
  hosts = poolOf(cluster);
  controlPlane = lab.host('cp-1');
  worker = lab.host('w-1');
});

afterAll(async () => {
  await hosts?.close();
  await lab?.down();
});

function stepOf(id: string): Step {
  const step = planInstall(cluster).find((each) => each.id === id);
  if (step === undefined) throw new Error(`the plan has no step ${id}`);
  return step;
}

function run(id: string, options: { cluster?: Cluster; onProgress?: (line: string) => void } = {}) {
  const { onProgress } = options;
  return runStep(stepOf(id), {
    cluster: options.cluster ?? cluster,
    hosts,
    implementations,
    ...(onProgress ? { onProgress: (_step: Step, line: string) => onProgress(line) } : {}),
  });
}

async function said(host: LabHost, script: string): Promise<string> {
  return (await host.exec(script)).stdout.trim();
}

describe('preflight', () => {
  test('finds fresh hosts fit, and changes nothing', async () => {
    for (const id of ['cp-1/preflight', 'w-1/preflight', 'cluster/preflight']) {
      expect(await run(id)).toMatchObject({ outcome: 'unchanged' });
    }
    expect(
      await said(controlPlane, 'ls -A /etc/kubewright /etc/modules-load.d/kubewright.conf 2>/dev/null || true'),
    ).toBe('');
  });

  test('tells everything that stands in the way of a host at once', async () => {
    await controlPlane.exec(`mkdir -p /etc/kubewright /etc/kubernetes/manifests
echo '{"cluster":"prod","host":"db-7","address":"10.1.1.1","endpoint":"10.1.1.9:8443","caFingerprint":null}' >/etc/kubewright/owner.json
systemd-run --quiet --unit squatter socat TCP-LISTEN:6443,fork /dev/null
until ss -Hltn | grep -q :6443; do sleep 0.1; done
hostname localhost`);
    await expect(run('cp-1/preflight')).rejects.toMatchObject({
      code: 'KW300',
      host: 'cp-1',
      message: expect.stringMatching(/KW305 .*localhost.*KW320 .*cluster "prod".*db-7.*KW313 .*6443.*socat/s),
    });
    await controlPlane.exec(
      'systemctl stop squatter; rm /etc/kubewright/owner.json; hostname cp-1; touch /etc/kubernetes/manifests/etcd.yaml',
    );
    await expect(run('cp-1/preflight')).rejects.toMatchObject({
      code: 'KW321',
      message: expect.stringContaining('etcd.yaml'),
    });
    await controlPlane.exec('rm -r /etc/kubernetes /etc/kubewright');
    expect(await run('cp-1/preflight')).toMatchObject({ outcome: 'unchanged' });
  });

  test('names what hosts of people have, each with its code, and is content when it is gone', async () => {
    await controlPlane.exec(`set -e
cp /etc/resolv.conf /root/; echo nameserver 127.0.0.1 >/etc/resolv.conf
mkdir -p /etc/kubernetes/pki; touch /etc/kubernetes/pki/ca.key
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -P INPUT DROP`);
    await expect(run('cp-1/preflight')).rejects.toMatchObject({
      code: 'KW300',
      message: expect.stringMatching(/KW325 .*ca\.key.*KW316 .*127\.0\.0\.1.*KW315 .*iptables chain INPUT/s),
    });
    await controlPlane.exec(`iptables -P INPUT ACCEPT; iptables -F INPUT
cat /root/resolv.conf >/etc/resolv.conf; rm -r /etc/kubernetes`);
    expect(await run('cp-1/preflight')).toMatchObject({ outcome: 'unchanged' });
  });

  test('takes an empty disk of its own for etcd, and names what else is on it', async () => {
    await controlPlane.exec(
      'mkdir -p /var/lib/etcd; mount -t tmpfs tmpfs /var/lib/etcd; mkdir /var/lib/etcd/lost+found',
    );
    expect(await run('cp-1/preflight')).toMatchObject({ outcome: 'unchanged' });
    await controlPlane.exec('mkdir /var/lib/etcd/default');
    await expect(run('cp-1/preflight')).rejects.toMatchObject({
      code: 'KW321',
      message: expect.stringContaining('/var/lib/etcd/default'),
    });
    await controlPlane.exec('umount /var/lib/etcd; rmdir /var/lib/etcd');
  });

  test('finds the virtual IP taken, by one of the hosts and by a stranger', async () => {
    const card = await said(worker, `ip -o -4 address show | awk '$4 ~ /^${worker.address}\\// {print $2}'`);
    await worker.exec(`ip address add ${lab.vip}/32 dev ${card}`);
    await expect(run('cluster/preflight')).rejects.toMatchObject({
      code: 'KW334',
      message: expect.stringContaining('w-1'),
    });
    const alone = { ...cluster, hosts: cluster.hosts.filter(({ name }) => name === 'cp-1') };
    const mac = await said(worker, `cat /sys/class/net/${card}/address`);
    await expect(run('cluster/preflight', { cluster: alone })).rejects.toMatchObject({
      code: 'KW334',
      message: expect.stringContaining(mac),
    });
    await worker.exec(`ip address del ${lab.vip}/32 dev ${card}`);
  });

  test('finds hosts that do not reach each other', async () => {
    await worker.cut(controlPlane);
    await expect(run('cluster/preflight')).rejects.toMatchObject({
      message: expect.stringMatching(/cp-1 cannot be reached at TCP 6443 .* from w-1/),
    });
    await worker.heal();
    expect(await run('cluster/preflight')).toMatchObject({ outcome: 'unchanged' });
  });
});

describe('packages', () => {
  /** The one that needs most of its distribution; 1.34 still takes the containerd of Debian 12. */
  const packaged = (): Cluster => ({
    ...cluster,
    kubernetes: { ...cluster.kubernetes, version: '1.34.3' },
    runtime: { type: 'containerd', source: 'distribution', config: {} },
  });

  test('are refused with the reason when the mirror is away', async () => {
    await worker.exec(
      `cp /etc/apt/sources.list /root/; echo 'deb http://127.0.0.1:9/debian bookworm main' >/etc/apt/sources.list`,
    );
    await expect(run('w-1/packages', { cluster: packaged() })).rejects.toMatchObject({
      code: 'KW444',
      host: 'w-1',
      transient: false,
    });
    await worker.exec(
      'mv /root/sources.list /etc/apt/sources.list; ls -A /run/systemd/system | grep . && exit 1 || true',
    );
  });

  test('wait for another package manager, and survive a power loss in the middle', async () => {
    await run('w-1/system');
    await worker.exec(`set -e
systemd-run --quiet --unit apt-daily-stand-in perl -MFcntl -e '
open(F, ">>", "/var/lib/dpkg/lock-frontend"); my $lock = pack("ssx4qqi", F_WRLCK, 0, 0, 0, 0);
fcntl(F, F_SETLK, $lock) or die; mkdir "/run/held"; sleep'
until [ -d /run/held ]; do systemctl is-active --quiet apt-daily-stand-in; sleep 0.05; done`);
    let waited = false;
    let unpacking = false;
    const installing = run('w-1/packages', {
      cluster: packaged(),
      onProgress: (line) => {
        if (!waited && line.includes('waiting for another package manager')) {
          waited = true;
          void worker.exec('systemctl stop apt-daily-stand-in');
        }
        unpacking ||= line.includes('Unpacking');
      },
    });
    installing.catch(() => undefined);
    await eventually(async () => unpacking, 'dpkg unpacks', 300_000);
    expect(waited).toBe(true);
    await worker.powerOff();
    await worker.powerOn();
    expect(await installing).toMatchObject({ outcome: 'changed' });
    expect(await said(worker, 'dpkg --audit; apt-mark showhold | xargs')).toBe('containerd runc');
    expect(await said(worker, 'systemctl is-active containerd || true; ls -A /run/systemd/system')).toBe('inactive');
  });
});

describe('preparation', () => {
  /** The worker has the distribution's containerd, which holds no container; the control plane has none. */
  const prepare = (): Step[] => planInstall(cluster).filter(({ phase }) => ['preflight', 'prepare'].includes(phase));
  const all = () => runPlan({ plan: prepare(), cluster, hosts, implementations });

  test('makes hosts ready for kubeadm', async () => {
    const runs = await all();
    console.log(
      runs
        .map((each) => `${each.step.padEnd(18)} ${Math.round(each.endedAt - each.startedAt)} ms ${each.outcome}`)
        .join('\n'),
    );
    for (const [host, role] of [
      [controlPlane, 'control-plane'],
      [worker, 'worker'],
    ] as const) {
      expect(
        await said(host, 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables | xargs'),
      ).toBe('1 1');
      expect(await said(host, '/usr/local/bin/kubelet --version')).toBe(`Kubernetes v${cluster.kubernetes.version}`);
      expect(
        await said(host, 'systemctl is-enabled kubelet containerd | xargs; systemctl is-active kubelet || true'),
      ).toBe('enabled enabled\ninactive');
      expect(await said(host, 'readlink /proc/$(systemctl show -p MainPID --value containerd)/exe')).toMatch(
        /^\/opt\/kubewright\/containerd\/[\d.]+\/containerd$/,
      );
      expect(await said(host, 'ls /opt/cni/bin | xargs')).toMatch(/bridge .*flannel .*host-local/);
      const images = await said(host, 'crictl images | awk \'NR > 1 {print $1 ":" $2}\'');
      expect(images.includes(`registry.k8s.io/kube-apiserver:v${cluster.kubernetes.version}`)).toBe(
        role === 'control-plane',
      );
      expect(images).toContain('registry.k8s.io/kube-proxy:v');
      expect(await said(host, 'crictl info | grep -i systemdcgroup')).toMatch(/true/);
      expect(await said(host, 'ls -A /var/lib/kubewright/bundle/images')).toBe('');
    }
    expect(await said(controlPlane, 'systemctl is-active haproxy keepalived | xargs || true')).toBe(
      'inactive inactive',
    );
  });

  test('done once more changes nothing', async () => {
    const before = await said(
      worker,
      'systemctl show -p InvocationID containerd; stat -c "%n %Y" /etc/containerd/* /etc/systemd/system/*',
    );
    for (const each of await all()) expect(each).toMatchObject({ outcome: 'unchanged' });
    expect(
      await said(
        worker,
        'systemctl show -p InvocationID containerd; stat -c "%n %Y" /etc/containerd/* /etc/systemd/system/*',
      ),
    ).toBe(before);
  });

  test('holds after a reboot, also where /etc/sysctl.conf says otherwise', async () => {
    const settings = ['net/ipv4/ip_forward', 'net/bridge/bridge-nf-call-iptables'];
    const values = `cd /proc/sys; cat ${settings.join(' ')} | xargs`;
    for (const host of [controlPlane, worker]) {
      // A host's network outlives its boots in the lab, so what is set there now has to be wrong before one.
      await host.exec(`set -e
printf '%s = 0\\n' ${settings.join(' ')} >>/etc/sysctl.conf
ln -sf ../sysctl.conf /etc/sysctl.d/99-sysctl.conf
for setting in ${settings.join(' ')}; do echo 0 >/proc/sys/$setting; done
rm -f /etc/sysctl.d/99-kubewright.conf`);
      await host.reboot();
      expect(await said(host, values)).toBe('1 1');
      expect(await run(`${host.name}/system`)).toMatchObject({ outcome: 'unchanged' });
      expect(await run(`${host.name}/preflight`)).toMatchObject({ outcome: 'unchanged' });
    }
  });

  test('puts right what was changed by hand, and keeps what it replaces', async () => {
    await worker.exec(`echo '# by hand' >>/etc/containerd/config.toml; echo 0 >/proc/sys/net/ipv4/ip_forward
ctr -n k8s.io images ls -q | grep /pause: | xargs ctr -n k8s.io images rm; echo >>/usr/local/bin/kubelet`);
    const changed = (await all()).filter(({ outcome }) => outcome === 'changed').map(({ step }) => step);
    expect(changed.sort()).toEqual(['w-1/binaries', 'w-1/images', 'w-1/runtime', 'w-1/system']);
    expect(await said(worker, "grep -l 'by hand' /etc/containerd/*")).toMatch(/config\.toml\.kubewright-backup-/);
    expect(await said(worker, 'cat /proc/sys/net/ipv4/ip_forward')).toBe('1');
    expect(await said(worker, 'crictl images')).toContain('pause');
  });

  test('survives a power loss while images are imported', async () => {
    await controlPlane.exec('ctr -n k8s.io images ls -q | xargs ctr -n k8s.io images rm --sync >/dev/null');
    const importing = run('cp-1/images');
    importing.catch(() => undefined);
    await eventually(
      async () => (await said(controlPlane, "pgrep -f 'images import' || true")) !== '',
      'an import runs',
      120_000,
    );
    await controlPlane.powerOff();
    await controlPlane.powerOn();
    expect(await importing).toMatchObject({ outcome: 'changed' });
    expect(await said(controlPlane, "ctr -n k8s.io images check | awk 'NR > 1 && !/complete .*true/'")).toBe('');
    expect(await run('cp-1/images')).toMatchObject({ outcome: 'unchanged' });
  });
});
