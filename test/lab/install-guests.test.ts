import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/hosts/machine/run.js';
import { containerdRecipe, machineArchitecture } from '../../src/artifacts/recipes.js';
import { check, told } from './support/health.js';
import { Installed } from './support/installed.js';
import { checkImageOn, expectNamesResolvedOn } from './support/worker-pods.js';

/** Emulated, a guest does in a minute what a host in namespaces does in six seconds. */
const INSTALL_MS = 1_800_000;

/**
 * A worker of Debian 13 with a kernel of its own and cgroup version 2, which hosts in namespaces have only where the machine
 * has it, beside a control plane of Debian 12.
 */
describe('an install with a worker of Debian 13 and cgroup v2', () => {
  let cluster: Installed;

  beforeAll(async () => {
    const guest = { distribution: 'debian-13' as const, architecture: machineArchitecture() ?? 'amd64' };
    cluster = await Installed.up('debian13', 'stacked', { hosts: 2, guests: { 'w-1': guest } });
    await cluster.install({ timeoutMs: INSTALL_MS });
    await cluster.fetchKubeconfig();
  }, INSTALL_MS + 600_000);
  afterAll(async () => {
    await cluster?.down();
  });

  test('its node is Ready, on its own kernel, with the bundle’s containerd', async () => {
    const { items } = JSON.parse(await cluster.kubectl(['get', 'nodes', '-o', 'json'])) as { items: NodeJson[] };
    const ready = items.map(({ metadata, status }) => [
      metadata.name,
      status.conditions.find(({ type }) => type === 'Ready')?.status,
    ]);
    expect(ready).toEqual([
      ['cp-1', 'True'],
      ['w-1', 'True'],
    ]);
    const info = items[1]?.status.nodeInfo;
    expect(info?.osImage).toContain('trixie');
    expect(info?.kernelVersion).toMatch(/^6\.12\./);
    expect(info?.kubeletVersion).toBe(`v${cluster.version}`);
    expect(info?.containerRuntimeVersion).toBe(`containerd://${containerdRecipe.version.slice(1)}`);
  });

  test('its pods live in cgroup version 2', async () => {
    const { stdout } = await cluster.lab
      .host('w-1')
      .exec('stat -fc %T /sys/fs/cgroup; ls -d /sys/fs/cgroup/kubepods.slice');
    expect(stdout.split('\n')).toEqual(['cgroup2fs', '/sys/fs/cgroup/kubepods.slice']);
  });

  test('a memory limit of a pod is what its cgroup says', async () => {
    const image = await checkImageOn(cluster, 'w-1');
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(limitedPod(image)));
    const phase = ['get', 'pod', 'limited', '-o', 'jsonpath={.status.phase}'];
    expect(await until(async () => (await cluster.tryKubectl(phase)) === 'Running', 180_000)).toBe(true);
    expect(await cluster.kubectl(['exec', 'limited', '--', 'cat', '/sys/fs/cgroup/memory.max'])).toBe(
      `${64 * 2 ** 20}`,
    );
    await cluster.kubectl(['delete', 'pod', 'limited', '--force', '--grace-period=0']);
  });

  expectNamesResolvedOn(() => cluster, 'w-1');

  // A guest has a clock of its own; hosts in namespaces share that of the machine.
  test('a health check finds a clock that has drifted, and nothing when it is right again', async () => {
    const guest = cluster.lab.host('w-1');
    const drift = (seconds: number) =>
      guest.exec(`date --set="@$(awk -v now="$(date +%s.%N)" 'BEGIN {printf "%.3f", now + ${seconds}}')"`);
    await guest.exec('timedatectl set-ntp false 2>/dev/null || true');
    expect(told((await check(cluster)).findings)).toBe('');
    await drift(8);
    try {
      const { verdict, findings } = await check(cluster);
      expect(verdict).toBe('degraded');
      expect(findings).toMatchObject([
        { code: 'KW649', host: 'w-1', evidence: expect.stringMatching(/[78]\.\d s ahead of/) },
      ]);
    } finally {
      await drift(-8);
    }
    await expect
      .poll(async () => told((await check(cluster)).findings), { timeout: 120_000, interval: 1_000 })
      .toBe('');
  }, 600_000);
});

interface NodeJson {
  metadata: { name: string };
  status: {
    conditions: { type: string; status: string }[];
    nodeInfo: { osImage: string; kubeletVersion: string; containerRuntimeVersion: string; kernelVersion: string };
  };
}

function limitedPod(image: string) {
  const container = { image, imagePullPolicy: 'Never', args: ['pause'], resources: { limits: { memory: '64Mi' } } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'limited' },
    spec: { nodeName: 'w-1', terminationGracePeriodSeconds: 0, containers: [{ name: 'pause', ...container }] },
  };
}
