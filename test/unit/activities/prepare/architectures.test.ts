import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkHost } from '../../../../src/activities/prepare/checkHost.js';
import { installBinaries } from '../../../../src/components/artifacts/bundle/steps/installBinaries.js';
import { clusterOf } from '../../cluster-fixture.js';
import { TO_DO } from './bundled.js';
import { contextOn, FakeHost } from './fake-host.js';
import { BUNDLE } from './fixtures.js';

const cache = mkdtempSync(join(tmpdir(), 'kubewright-architectures-'));
afterAll(() => rmSync(cache, { recursive: true }));
beforeEach(() => void vi.stubEnv('KUBEWRIGHT_CACHE', cache));
afterEach(() => void vi.unstubAllEnvs());

/** One bundle of each architecture lies in the cache, as `bundle create --arch` puts it there. */
function lay(architecture: 'amd64' | 'arm64', sha256: string): void {
  const directory = join(cache, 'bundles', `1.34.3-${architecture}-official-0123456789ab`);
  mkdirSync(directory, { recursive: true });
  const { directory: _, ...manifest } = BUNDLE;
  const files = manifest.files.map((file) => ({ ...file, sha256 }));
  const text = { apiVersion: 'kubewright.dev/v1alpha1', kind: 'Bundle', ...manifest, architecture, files };
  writeFileSync(join(directory, 'bundle.json'), JSON.stringify(text));
}
const SUMS = { x86_64: 'a'.repeat(64), aarch64: 'd'.repeat(64) };

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
function hostWith(machine: string): FakeHost {
  const fake = new FakeHost();
  fake.answers.set('uname -m', `${machine}\n`);
  return fake;
}

describe('hosts of two architectures in one cluster', () => {
  it('get each the programs of its own bundle', async () => {
    lay('amd64', SUMS.x86_64);
    lay('arm64', SUMS.aarch64);
    for (const [machine, sum] of Object.entries(SUMS)) {
      const fake = hostWith(machine);
      await installBinaries.apply(contextOn(fake, cluster, 'installBinaries', 'w-1'), TO_DO);
      expect(new Set(fake.uploaded.map(({ sha256 }) => sha256))).toEqual(new Set([sum]));
      const sources = fake.uploaded.map(({ source }) => source);
      for (const source of sources) expect(source).toContain(machine === 'aarch64' ? '-arm64-' : '-amd64-');
    }
  });

  it('are told of a bundle that is missing before anything is changed, with all else that is wrong', async () => {
    rmSync(join(cache, 'bundles'), { recursive: true });
    lay('amd64', SUMS.x86_64);
    const fake = new FakeHost();
    // The facts of a host that is unfit for something else, too.
    fake.answers.set('row kernel', 'row kernel\tLinux\taarch64\t6.1.0\nrow init\tbusybox\nfacts end');
    const probe = await checkHost.probe(contextOn(fake, cluster, 'checkHost', 'w-1'));
    expect(probe.done).toBe(false);
    const all = probe.changes.join('\n');
    expect(all).toContain('There is no bundle for Kubernetes 1.34.3 on arm64');
    expect(all).toContain('busybox');
    expect([...fake.written, ...fake.uploaded, ...fake.durables]).toEqual([]);
  });

  it('are not all served by one directory', async () => {
    const one = {
      ...cluster,
      packages: { ...cluster.packages, bundle: join(cache, 'bundles/1.34.3-amd64-official-0123456789ab') },
    };
    const step = installBinaries.apply(contextOn(hostWith('aarch64'), one, 'installBinaries', 'w-1'), TO_DO);
    await expect(step).rejects.toMatchObject({ code: 'KW735' });
  });
});
