import { describe, expect, test } from 'vitest';
import { kubeletFacts } from '../../../../src/activities/kubeadm/host-files.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });

function factsOf(tell: (host: FakeHost) => void) {
  const hosts = fakeHosts(cluster);
  tell(hostIn(hosts, 'w-1'));
  return kubeletFacts(contextAmong(hosts, cluster, 'joinWorker', 'w-1'));
}

const image = (name: string, pinned: boolean) => ({ repoTags: [`registry.k8s.io/${name}:v1`], pinned });
const images = (pinned: boolean) => JSON.stringify({ images: [image('kube-proxy', pinned), image('pause', true)] });

describe('what the kubelet has to know of its host, once and for all', () => {
  test('are the name servers behind the stub of systemd-resolved, and whether the runtime pins images', async () => {
    const behind = await factsOf((host) => host.fact('resolved', '').fact('images', images(true)));
    expect(behind).toEqual({ resolvConf: '/run/systemd/resolve/resolv.conf', imagesPinned: true });
    expect(await factsOf((host) => host.fact('images', images(false)))).toEqual({
      resolvConf: '/etc/resolv.conf',
      imagesPinned: false,
    });
  });

  test.each([
    ['whether systemd-resolved runs', (host: FakeHost) => host.fact('images', images(true)).cannotTell('resolved')],
    ['whether the container runtime has pinned', (host: FakeHost) => host.cannotTell('images')],
    ['whether the container runtime has pinned', (host: FakeHost) => host.fact('images', '{"images": [')],
  ])('is not guessed while it cannot be told %s', async (question, tell) => {
    await expect(factsOf(tell)).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
      message: expect.stringContaining(question),
    });
  });
});
