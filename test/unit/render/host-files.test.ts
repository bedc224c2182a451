import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { renderAptTransaction } from '../../../src/components/distribution/debian/apt.js';
import { CONTAINERD_CONFIG_PATH, CONTAINERD_SOCKET } from '../../../src/components/runtime/containerd/paths.js';
import { renderContainerdConfig } from '../../../src/components/runtime/containerd/render/config.js';
import { renderContainerdUnit, versionsOfUnit } from '../../../src/components/runtime/containerd/render/unit.js';
import { renderCrictlConfig } from '../../../src/components/runtime/crictl.js';
import { renderRuntimeDropIn } from '../../../src/components/runtime/drop-in.js';
import { withoutSwap } from '../../../src/render/fstab.js';
import { renderKubeletDropIn, renderKubeletUnit } from '../../../src/render/kubelet-unit.js';
import { featureTest, kernelFeaturesFor, renderModules } from '../../../src/render/modules.js';
import { parseOwner, renderOwner } from '../../../src/render/owner.js';
import {
  overriddenAtBoot,
  renderSysctls,
  SYSCTL_PATH,
  sameSysctl,
  sysctlFile,
  sysctlsFor,
} from '../../../src/render/sysctl.js';
import { clusterOf } from '../cluster-fixture.js';
import { expectGolden } from './golden.js';

const PAUSE = 'registry.k8s.io/pause:3.10.1';

describe('containerd', () => {
  it.each([
    ['1.6', '1.6.20~ds1'],
    ['2.0', '2.0.4'],
    ['2.1', '2.1.0-rc.1'],
  ])('writes the format of containerd %s', (name, version) => {
    const text = renderContainerdConfig({ version, pauseImage: PAUSE, overrides: {} });
    expectGolden(`containerd-${name}.toml`, text);
    expect(parse(text).version).toBe(name === '1.6' ? 2 : 3);
  });

  it('merges runtime.config over what it generates: tables by key, lists as a whole, null takes away', () => {
    const cri = 'io.containerd.grpc.v1.cri';
    const text = renderContainerdConfig({
      version: '1.7.27',
      pauseImage: PAUSE,
      overrides: {
        oom_score: -999,
        plugins: {
          [cri]: {
            restrict_oom_score_adj: true,
            sandbox_image: null,
            registry: { config_path: '/etc/containerd/certs.d' },
            cni: { conf_dir: '/etc/cni/"odd".d' },
          },
        },
      },
    });
    expectGolden('containerd-overrides.toml', text);
    const parsed = parse(text) as { plugins: Record<string, Record<string, unknown>> };
    expect(parsed.plugins[cri]).not.toHaveProperty('sandbox_image');
    expect(parsed.plugins[cri]).toMatchObject({
      cni: { bin_dir: '/opt/cni/bin', conf_dir: '/etc/cni/"odd".d' },
      containerd: { runtimes: { runc: { options: { SystemdCgroup: true } } } },
    });
  });

  it('refuses what TOML cannot say, and names the place in cluster.yaml', () => {
    const render = () =>
      renderContainerdConfig({ version: '1.7.0', pauseImage: PAUSE, overrides: { imports: [null] } });
    expect(render).toThrowError(
      expect.objectContaining({ code: 'KW450', message: expect.stringContaining('runtime.config') }),
    );
  });

  it('records at every start what the process has read', () => {
    expectGolden('containerd-drop-in.conf', renderRuntimeDropIn('containerd', [CONTAINERD_CONFIG_PATH], null));
    expectGolden('crictl.yaml', renderCrictlConfig(CONTAINERD_SOCKET));
  });

  it('pulls images through a proxy where one is given, and reaches the cluster without it', () => {
    const proxy = { url: 'http://proxy.example.org:3128', except: '10.88.0.11,.svc' };
    const dropIn = renderRuntimeDropIn('containerd', [CONTAINERD_CONFIG_PATH], proxy);
    expect(dropIn.split('\n').filter((line) => line.startsWith('Environment='))).toEqual([
      'Environment=HTTP_PROXY=http://proxy.example.org:3128',
      'Environment=HTTPS_PROXY=http://proxy.example.org:3128',
      'Environment=NO_PROXY=10.88.0.11,.svc',
    ]);
  });

  it("is started by a unit that names the bundle's releases, and says them", () => {
    const versions = { containerd: '2.3.7', runc: '1.5.2' };
    expectGolden('containerd.service', renderContainerdUnit(versions));
    expect(versionsOfUnit(renderContainerdUnit(versions))).toEqual(versions);
    expect(versionsOfUnit('[Service]\nExecStart=/usr/bin/containerd\n')).toBeUndefined();
  });
});

describe('kubelet unit', () => {
  it('is that of the official packages with the binary of the bundle', () => {
    expectGolden('kubelet.service', renderKubeletUnit('containerd.service'));
    expectGolden('10-kubeadm.conf', renderKubeletDropIn());
  });
});

describe('apt', () => {
  it('is one transaction', () => {
    const services = ['containerd.service', 'haproxy.service'];
    const script = renderAptTransaction({
      install: ['containerd', 'haproxy'],
      hold: ['containerd'],
      services,
      proxy: null,
    });
    expectGolden('apt.sh', script);
  });
});

describe('kernel settings', () => {
  it('differ by role and can be overridden', () => {
    const plain = clusterOf({ controlPlanes: 1, workers: 1 });
    const cluster = { ...plain, sysctls: { 'vm.max_map_count': '262144', 'net.ipv4.ip_forward': '0' } };
    expectGolden('sysctl-control-plane.conf', renderSysctls(sysctlsFor(plain, { role: 'control-plane' })));
    expectGolden('sysctl-worker-overridden.conf', renderSysctls(sysctlsFor(cluster, { role: 'worker' })));
    expect(sysctlsFor(plain, { role: 'etcd' }).size).toBe(0);
  });

  it.each([
    ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['net.ipv4.conf.eth0/100.rp_filter', '/proc/sys/net/ipv4/conf/eth0.100/rp_filter'],
    ['net/ipv4/conf/eth0.100/rp_filter', '/proc/sys/net/ipv4/conf/eth0.100/rp_filter'],
  ])('%s is %s', (name, file) => expect(sysctlFile(name)).toBe(file));

  it('sees through the tabs that the kernel prints', () => {
    expect(sameSysctl('4096\t131072\t6291456\n', '4096 131072 6291456')).toBe(true);
    expect(sameSysctl('0\n', '1')).toBe(false);
    expect(sameSysctl('', '0')).toBe(false);
  });
});

describe('what a boot sets', () => {
  const wanted = new Map([
    ['net.ipv4.ip_forward', '1'],
    ['net.ipv4.conf.eth0/100.rp_filter', '2'],
  ]);
  const files = (...parts: [string, string][]) => parts.map(([path, text]) => `# ${path}\n${text}\n`).join('\n');

  it('is what the last file says, and ours comes behind /etc/sysctl.conf', () => {
    const hardened = files(
      ['/etc/sysctl.d/99-sysctl.conf', '# net.ipv4.ip_forward = 1\nnet.ipv4.ip_forward = 0'],
      [SYSCTL_PATH, 'net.ipv4.ip_forward = 1'],
    );
    expect(overriddenAtBoot(wanted, hardened)).toEqual([]);
    // Also before ours is written: it will come behind.
    expect(overriddenAtBoot(wanted, files(['/etc/sysctl.d/99-sysctl.conf', 'net.ipv4.ip_forward=0']))).toEqual([]);
  });

  it.each([
    ['a file behind ours', 'net.ipv4.ip_forward = 0', ['net.ipv4.ip_forward']],
    ['the same with slashes, spaces and a dash', ' -net/ipv4/ip_forward =0', ['net.ipv4.ip_forward']],
    ['a name with a dot in it', 'net/ipv4/conf/eth0.100/rp_filter = 1', ['net.ipv4.conf.eth0/100.rp_filter']],
    ['the same value', 'net.ipv4.ip_forward = 1', []],
    ['a pattern', 'net.ipv4.ip_* = 0', []],
    ['a comment', '#net.ipv4.ip_forward = 0\n;net.ipv4.ip_forward = 0', []],
    ['another value taken back', 'net.ipv4.ip_forward = 0\nnet.ipv4.ip_forward = 1', []],
  ])('is told of %s', (_, text, names) => {
    const found = overriddenAtBoot(wanted, files([SYSCTL_PATH, ''], ['/run/sysctl.d/zzz-late.conf', text]));
    expect(found.map(({ name }) => name)).toEqual(names);
    for (const { file } of found) expect(file).toBe('/run/sysctl.d/zzz-late.conf');
  });
});

describe('kernel modules', () => {
  const flannel = (backend: Record<string, unknown> = { Type: 'vxlan' }, sysctls: Record<string, string> = {}) =>
    clusterOf({ controlPlanes: 1, workers: 1 }, { network: { plugin: 'flannel', backend }, sysctls });
  const names = (...args: Parameters<typeof flannel>) =>
    kernelFeaturesFor('worker', flannel(...args)).map(({ module }) => module);

  it('are named by role and recognised by what they bring', () => {
    expectGolden('modules-worker.conf', renderModules(kernelFeaturesFor('worker', flannel())));
    expect(kernelFeaturesFor('etcd', flannel()).map(({ module }) => module)).toEqual(['overlay']);
    expect(kernelFeaturesFor('worker', flannel()).map(featureTest)).toEqual([
      'grep -qw overlay /proc/filesystems',
      '[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]',
      `[ -d /sys/module/vxlan ] || grep -qs '/vxlan\\.ko' "/lib/modules/$(uname -r)/modules.builtin"`,
    ]);
  });

  it('follow the backend of the network', () => {
    expect(names({ Type: 'wireguard' })).toEqual(['overlay', 'br_netfilter', 'wireguard']);
    expect(names({ Type: 'host-gw' })).toEqual(['overlay', 'br_netfilter']);
  });

  it('come with the settings that only they bring', () => {
    const sysctls = {
      'net.netfilter.nf_conntrack_max': '1',
      'net/netfilter/nf_conntrack_buckets': '2',
      'vm.swappiness': '1',
    };
    expect(names({}, sysctls)).toEqual(['overlay', 'br_netfilter', 'vxlan', 'nf_conntrack']);
    const [, , , conntrack] = kernelFeaturesFor('worker', flannel({}, sysctls));
    expect(conntrack && featureTest(conntrack)).toBe('[ -e /proc/sys/net/netfilter/nf_conntrack_max ]');
    expect(names({}, { 'net.bridge.bridge-nf-call-arptables': '1' })).toEqual(['overlay', 'br_netfilter', 'vxlan']);
  });
});

describe('ownership record', () => {
  const record = {
    cluster: 'demo',
    host: 'cp-1',
    address: '10.88.0.11',
    endpoint: '10.88.0.100:8443',
    caFingerprint: `sha256:${'ab'.repeat(32)}`,
  };

  it('is read back as it was written', () => {
    expectGolden('owner.json', renderOwner(record));
    expect(parseOwner(renderOwner(record))).toEqual(record);
  });

  it.each(['', '{"cluster": "demo"', '[]', '{"cluster": 1}'])('is none when it says %j', (text) => {
    expect(parseOwner(text)).toBeUndefined();
  });
});

describe('fstab', () => {
  it('loses its swap entries and nothing else', () => {
    const before = `# <file system>\t<mount>\nUUID=1 / ext4 defaults 0 1\n/dev/sda2\tnone\tswap sw 0 0\n  /swap.img none swap sw 0 0\n#/dev/sda3 none swap sw 0 0\n/srv/swap /mnt/swap none bind 0 0\n\n`;
    const after = withoutSwap(before);
    expectGolden('fstab', after);
    expect(withoutSwap(after)).toBe(after);
  });
});
