import { describe, expect, it } from 'vitest';
import { renderContainerdConfig } from '../../../src/components/runtime/containerd/render/config.js';
import { inFormat } from '../../../src/components/runtime/containerd/render/names.js';

const OLD = 'io.containerd.grpc.v1.cri';
const IMAGES = 'io.containerd.cri.v1.images';
const RUNTIME = 'io.containerd.cri.v1.runtime';
const REGISTRY = { registry: { config_path: '/etc/containerd/certs.d' } };

describe('runtime.config stands where the containerd that is installed reads it', () => {
  it('written with the names of containerd 1.x, on 2.x', () => {
    const runtimes = { containerd: { runtimes: { nvidia: { runtime_type: 'io.containerd.runc.v2' } } } };
    const streaming = { stream_server_port: '10010' };
    const config = { plugins: { [OLD]: { ...REGISTRY, ...runtimes, ...streaming, enable_selinux: true } } };
    expect(inFormat(3, config)).toEqual({
      plugins: { [IMAGES]: REGISTRY, [RUNTIME]: { ...runtimes, enable_selinux: true }, [OLD]: streaming },
    });
    expect(inFormat(2, config)).toEqual(config);
  });

  it('written with the names of 2.x, on 1.x', () => {
    const config = {
      plugins: {
        [IMAGES]: { ...REGISTRY, snapshotter: 'native', pinned_images: { sandbox: 'mine/pause:1' } },
        [RUNTIME]: { enable_selinux: true },
        'io.containerd.gc.v1.scheduler': { startup_delay: '1s' },
      },
    };
    expect(inFormat(2, config)).toMatchObject({
      plugins: {
        [OLD]: {
          ...REGISTRY,
          containerd: { snapshotter: 'native' },
          sandbox_image: 'mine/pause:1',
          enable_selinux: true,
        },
        'io.containerd.gc.v1.scheduler': { startup_delay: '1s' },
      },
    });
    expect(inFormat(3, config)).toEqual(config);
  });

  it('takes nothing away from what it was given, and leaves other tables alone', () => {
    const config = { oom_score: -999, plugins: { [OLD]: { containerd: { snapshotter: 'native' } } } };
    const before = structuredClone(config);
    expect(inFormat(3, config)).toEqual({ oom_score: -999, plugins: { [IMAGES]: { snapshotter: 'native' } } });
    expect(config).toEqual(before);
  });

  it.each(['1.6.20', '1.7.24'])('a mirror is in the table that containerd %s reads', (version) => {
    const text = render(version);
    expect(text).toContain(`[plugins."${OLD}".registry]`);
    expect(text).not.toContain(IMAGES);
  });

  it.each(['2.0.0', '2.1.5', '2.3.7'])('a mirror is in the table that containerd %s reads', (version) => {
    const text = render(version);
    expect(text).toContain(`[plugins."${IMAGES}".registry]`);
    expect(text).not.toContain(OLD);
  });
});

/** As docs/cluster-yaml.md has it. */
function render(version: string): string {
  return renderContainerdConfig({ version, pauseImage: 'pause', overrides: { plugins: { [OLD]: REGISTRY } } });
}
