import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { RUNNING_KUBELET, versionIn } from '../../../../src/activities/applied/host-applied.js';
import { ownerOf } from '../../../../src/activities/prepare/ownership.js';
import { carryOut } from '../../../../src/activities/step.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { installBinaries } from '../../../../src/components/artifacts/bundle/steps/installBinaries.js';
import { renderOwner } from '../../../../src/render/owner.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextOn, FakeHost } from './fake-host.js';
import { layBundle } from './fixtures.js';

const directory = layBundle();
afterAll(() => rmSync(directory, { recursive: true }));
const CLUSTER = clusterOf(
  { controlPlanes: 1, workers: 1, etcd: 3 },
  { packages: { source: 'bundle', bundle: directory, proxy: null } },
);
const TO_DO = { done: false, found: '', changes: [] };

let fake: FakeHost;
/** A node of the cluster, whole unless `fingerprint` is null. */
function node(version: string, fingerprint: string | null = 'sha256:abc'): void {
  fake.facts.set('begun', '');
  fake.facts.set('owner', renderOwner(ownerOf(CLUSTER, CLUSTER.hosts[0] as ClusterHost, fingerprint)));
  fake.facts.set('kubelet', `Kubernetes ${version}`);
}

beforeEach(() => {
  fake = new FakeHost();
  fake.answers.set('uname -m\n', 'x86_64\n');
});

describe('binaries of a host that runs another version', () => {
  it.each([
    ['older', 'v1.34.2'],
    ['newer', 'v1.34.4'],
  ])('are left alone: %s', async (_, version) => {
    node(version);
    const probe = await installBinaries.probe(contextOn(fake, CLUSTER, 'installBinaries'));
    expect(probe).toMatchObject({ done: false, problem: { code: 'KW362' } });
    await expect(installBinaries.apply(contextOn(fake, CLUSTER, 'installBinaries'), TO_DO)).rejects.toMatchObject({
      code: 'KW362',
      host: 'cp-1',
      message: expect.stringContaining(version.slice(1)),
    });
    expect(fake.uploaded).toEqual([]);
    expect(fake.written).toEqual(new Map());
  });

  it('are left alone on a host of external etcd as well, whose record names no CA', async () => {
    node('v1.34.2', null);
    await expect(
      installBinaries.apply(contextOn(fake, CLUSTER, 'installBinaries', 'etcd-1'), TO_DO),
    ).rejects.toMatchObject({ code: 'KW362' });
  });

  it.each([
    ['the same version', () => node('v1.34.3')],
    ['a blank host', () => undefined],
    ['a host whose join was cut off: it is joined anew', () => node('v1.34.2', null)],
    [
      'a node whose kubelet is gone',
      () => {
        node('v1.34.3');
        fake.facts.delete('kubelet');
      },
    ],
  ])('are brought to %s', async (_, prepare) => {
    prepare();
    await installBinaries.apply(contextOn(fake, CLUSTER, 'installBinaries'), TO_DO);
    expect(fake.uploaded.map(({ target }) => target)).toContain('/opt/kubewright/kubernetes/1.34.3/kubelet');
  });

  it('are left alone while it cannot be told which version runs', async () => {
    node('v1.34.3');
    fake.facts.set('kubelet', 'no version at all');
    await expect(carryOut(installBinaries, contextOn(fake, CLUSTER, 'installBinaries'))).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
    });
    expect(fake.uploaded).toEqual([]);
  });
});

describe('the version of a kubelet', () => {
  it.each([
    ['Kubernetes v1.34.3', '1.34.3'],
    ['Kubernetes v1.36.0-rc.1+abc', '1.36.0-rc.1+abc'],
    ['kubelet: command not found', undefined],
    ['', undefined],
  ])('is read from %s', (text, version) => expect(versionIn(text)).toBe(version));

  it('is that of the program that runs, whatever lies in its place by now', async () => {
    const script = `set -u
exists() { return 44; }
timeout() { shift; echo "$@"; }
systemctl() { echo "$main"; }
${RUNNING_KUBELET}
main=$$; running_kubelet
main=0; running_kubelet || echo "status $?"`;
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script]);
    expect(stdout).toMatch(/^\/proc\/\d+\/exe --version\nstatus 44\n$/);
  });
});
