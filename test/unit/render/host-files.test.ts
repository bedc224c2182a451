import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { renderAptTransaction } from '../../../src/render/apt.js';
import { renderContainerdConfig, renderContainerdDropIn, renderCrictlConfig } from '../../../src/render/containerd.js';
import { withoutSwap } from '../../../src/render/fstab.js';
import { renderKubeletDropIn, renderKubeletUnit } from '../../../src/render/kubelet-unit.js';
import { featureTest, kernelFeaturesFor, renderModules } from '../../../src/render/modules.js';
import { parseOwner, renderOwner } from '../../../src/render/owner.js';
import { renderSysctls, sameSysctl, sysctlFile, sysctlsFor } from '../../../src/render/sysctl.js';
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
    expectGolden('containerd-drop-in.conf', renderContainerdDropIn());
    expectGolden('crictl.yaml', renderCrictlConfig());
  });
});

describe('kubelet unit', () => {
  it('is that of the official packages with the binary of the bundle', () => {
    expectGolden('kubelet.service', renderKubeletUnit());
    expectGolden('10-kubeadm.conf', renderKubeletDropIn());
  });
});

describe('apt', () => {
  it('is one transaction', () => {
    const services = ['containerd.service', 'haproxy.service'];
    const script = renderAptTransaction({ install: ['containerd', 'haproxy'], hold: ['containerd'], services });
    expectGolden('apt.sh', script);
  });
});

describe('kernel settings', () => {
  it('differ by role and can be overridden', () => {
    const cluster = { sysctls: { 'vm.max_map_count': '262144', 'net.ipv4.ip_forward': '0' } };
    expectGolden('sysctl-control-plane.conf', renderSysctls(sysctlsFor({ sysctls: {} }, { role: 'control-plane' })));
    expectGolden('sysctl-worker-overridden.conf', renderSysctls(sysctlsFor(cluster, { role: 'worker' })));
    expect(sysctlsFor({ sysctls: {} }, { role: 'etcd' }).size).toBe(0);
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

describe('kernel modules', () => {
  it('are named by role and recognised by what they bring', () => {
    expectGolden('modules-worker.conf', renderModules('worker'));
    expect(kernelFeaturesFor('etcd').map(({ module }) => module)).toEqual(['overlay']);
    expect(kernelFeaturesFor('worker').map(featureTest)).toEqual([
      'grep -qw overlay /proc/filesystems',
      '[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]',
    ]);
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
