import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { MINORS } from '../../../../../src/cluster/minors.js';
import { renderCrictlConfig } from '../../../../../src/components/runtime/crictl.js';
import {
  CRIO_CONFIG_PATH,
  CRIO_SOCKET,
  CRIO_UNIT_PATH,
  versionOfProgram,
} from '../../../../../src/components/runtime/crio/paths.js';
import {
  type CrioConfig,
  renderCrioConfig,
  renderPolicy,
} from '../../../../../src/components/runtime/crio/render/config.js';
import { renderCrioUnit, versionOfUnit } from '../../../../../src/components/runtime/crio/render/unit.js';
import { renderRuntimeDropIn } from '../../../../../src/components/runtime/drop-in.js';
import { crioReleaseFor, goesWith } from '../../../../../src/components/runtime/releases.js';
import { expectGolden } from '../../../render/golden.js';

const CONFIG: CrioConfig = {
  version: '1.36.5',
  pauseImage: 'registry.k8s.io/pause:3.10.2',
  pinnedImages: ['registry.k8s.io/etcd:3.6.8-0', 'registry.k8s.io/kube-proxy:v1.36.3'],
  hasPolicy: false,
  authFile: null,
  overrides: {},
};
const sections = (more: Partial<CrioConfig> = {}) =>
  parse(renderCrioConfig({ ...CONFIG, ...more })).crio as Record<string, Record<string, unknown>>;

describe('the files of CRI-O', () => {
  it('are these', () => {
    expectGolden('crio.conf', renderCrioConfig(CONFIG));
    expectGolden('crio.service', renderCrioUnit('1.36.5'));
    expectGolden('crio-policy.json', renderPolicy());
    expectGolden('crio-drop-in.conf', renderRuntimeDropIn('crio', [CRIO_UNIT_PATH, CRIO_CONFIG_PATH], null));
    expectGolden('crio-crictl.yaml', renderCrictlConfig(CRIO_SOCKET));
  });

  it('leave the host its own policy of images, and take its own where it has none', () => {
    expect(sections().image).toMatchObject({ signature_policy: '/etc/crio/policy.json' });
    expect(sections({ hasPolicy: true }).image).not.toHaveProperty('signature_policy');
  });

  it('take what runtime.config says, key by key', () => {
    const changed = sections({
      overrides: {
        crio: {
          runtime: { pids_limit: 4096, runtimes: { crun: { runtime_root: null } } },
          metrics: { enable_metrics: true },
        },
      },
    });
    expect(changed.runtime).toMatchObject({ cgroup_manager: 'systemd', pids_limit: 4096 });
    expect(changed.metrics).toEqual({ enable_metrics: true });
    const crun = (changed.runtime?.runtimes as Record<string, object> | undefined)?.crun;
    expect(crun).not.toHaveProperty('runtime_root');
    expect(crun).toHaveProperty('runtime_path', '/opt/kubewright/cri-o/1.36.5/crun');
  });

  it('tell whose they are: the release of a unit and of a program', () => {
    expect(versionOfUnit(renderCrioUnit('1.36.5'))).toBe('1.36.5');
    expect(versionOfUnit('[Service]\nExecStart=/usr/bin/crio\n')).toBeUndefined();
    expect(versionOfProgram('/opt/kubewright/cri-o/1.36.5/crio')).toBe('1.36.5');
    expect(versionOfProgram('/usr/bin/crio')).toBeUndefined();
  });
});

describe('CRI-O × Kubernetes', () => {
  it('is one release of the same minor for each minor that is installed', () => {
    for (const { minor } of MINORS) {
      const release = crioReleaseFor(`1.${minor}.0`);
      expect(release).toMatch(new RegExp(`^1\\.${minor}\\.\\d+$`));
      expect(goesWith(release ?? '', `1.${minor}.9`)).toBe(true);
    }
    expect(crioReleaseFor('1.33.9')).toBeUndefined();
    expect(goesWith('1.35.8', '1.36.3')).toBe(false);
  });
});
