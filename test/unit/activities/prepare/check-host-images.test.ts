import { describe, expect, it } from 'vitest';
import { type Bundle, imagesFor } from '../../../../src/bundle/bundle.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import { imageQuery } from '../../../../src/components/registry/work.js';
import { clusterOf } from '../../cluster-fixture.js';
import { BUNDLE, onlyProblem, problemsWith as problems } from './fixtures.js';

const IMAGE = 'registry.example.org/agent:v1';
const content = `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: kube-system }
spec: { template: { spec: { initContainers: [{ name: i, image: "${IMAGE}" }] } } }
`;
const network: Cluster['network'] = { plugin: 'manifest', manifests: [{ from: 'a.yaml', sha256: '', content }] };
const cluster = clusterOf({ controlPlanes: 1, workers: 1, etcd: 1 }, { network });

const archive = { file: 'images/a.tar', sha256: 'a'.repeat(64), size: 1, version: '1' };
const image = (names: string[], more: Partial<Bundle['images'][number]> = {}): Bundle['images'][number] => ({
  ...archive,
  names,
  neededBy: 'every-node',
  ...more,
});
const bundle: Bundle = { ...BUNDLE, images: [...BUNDLE.images, image([IMAGE], { network: 'other' })] };

describe('images that manifests run', () => {
  it('are in the bundle, or it is told which are not, on hosts that run pods', () => {
    const found = onlyProblem(problems({}, { cluster }).filter(({ code }) => code === 'KW365'));
    expect(found.what).toContain(IMAGE);
    expect(problems({}, { cluster, bundle }).map(({ code }) => code)).not.toContain('KW365');
    expect(problems({}, { cluster, role: 'etcd' }).map(({ code }) => code)).not.toContain('KW365');
  });

  it.each<[string, Partial<Cluster>]>([
    ['through a proxy', { packages: { source: 'bundle', bundle: null, proxy: 'http://proxy.example.org:3128' } }],
    [
      'from a mirror',
      {
        runtime: {
          type: 'containerd',
          source: 'bundle',
          config: {
            plugins: { 'io.containerd.cri.v1.images': { registry: { config_path: '/etc/containerd/certs.d' } } },
          },
        },
      },
    ],
  ])('are no problem where hosts pull them %s', (_, changes) => {
    expect(problems({}, { cluster: { ...cluster, ...changes } }).map(({ code }) => code)).not.toContain('KW365');
  });

  it('come to hosts of a cluster that runs them, and those of other networks to none', () => {
    const others = image(['registry.example.org/of-others:v1'], { network: 'other' });
    const all = { ...bundle, images: [...bundle.images, others] };
    const names = (of: Cluster) => imagesFor(all, 'worker', imageQuery(of)).flatMap((each) => each.names);
    expect(names(cluster)).toContain(IMAGE);
    expect(names(cluster)).not.toContain('registry.example.org/of-others:v1');
    expect(names(clusterOf({ controlPlanes: 1, workers: 1 }))).not.toContain(IMAGE);
  });
});
