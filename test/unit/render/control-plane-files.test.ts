import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Cluster } from '../../../src/cluster/types.js';
import { renderInitConfig } from '../../../src/render/kubeadm.js';
import { clusterOf } from '../cluster-fixture.js';

interface Volume {
  name: string;
  hostPath: string;
  mountPath: string;
  readOnly?: boolean;
  pathType?: string;
}

function volumesIn(cluster: Cluster, section: string): Volume[] | undefined {
  const text = renderInitConfig(cluster, cluster.hosts[0] as Cluster['hosts'][0]);
  const config = parseAllDocuments(text)
    .map((one) => one.toJS())
    .find(({ kind }) => kind === 'ClusterConfiguration');
  return config[section].extraVolumes;
}

function clusterWith(changes: Partial<Cluster['kubernetes']>): Cluster {
  const cluster = clusterOf({ controlPlanes: 1, workers: 0 });
  Object.assign(cluster.kubernetes, changes);
  return cluster;
}

const file = (path: string) => ({ path, content: '', env: null });
const arg = (name: string, value: string) => ({ name, value });

describe('volumes of static pods', () => {
  it('are none where nothing asks for one', () => {
    const cluster = clusterWith({});
    for (const section of ['apiServer', 'controllerManager', 'scheduler'])
      expect(volumesIn(cluster, section)).toBeUndefined();
  });

  it("are the file's, as kubeadm writes them", () => {
    const volume = { name: 'logs', hostPath: '/var/log/k', mountPath: '/logs', readOnly: false, pathType: null };
    const cluster = clusterWith({
      scheduler: { extraArgs: [], extraVolumes: [volume, { ...volume, name: 'more', pathType: 'DirectoryOrCreate' }] },
    });
    expect(volumesIn(cluster, 'scheduler')).toEqual([
      { name: 'logs', hostPath: '/var/log/k', mountPath: '/logs', readOnly: false },
      { name: 'more', hostPath: '/var/log/k', mountPath: '/logs', readOnly: false, pathType: 'DirectoryOrCreate' },
    ]);
  });

  it('are the directories of delivered files, each for the components whose flags name it, else for the API server', () => {
    const cluster = clusterWith({
      files: [
        file('/etc/kubernetes/a/one.yaml'),
        file('/etc/kubernetes/a/deeper/two.yaml'),
        file('/etc/kubernetes/ab/three.yaml'),
        file('/etc/kubernetes/c/four.yaml'),
        file('/etc/kubernetes/c/five.yaml'),
      ],
      scheduler: { extraArgs: [arg('config', '/etc/kubernetes/c/five.yaml')] },
    });
    expect(volumesIn(cluster, 'scheduler')?.map(({ mountPath }) => mountPath)).toEqual(['/etc/kubernetes/c']);
    const [first, ...others] = volumesIn(cluster, 'apiServer') ?? [];
    expect(first).toMatchObject({ hostPath: '/etc/kubernetes/a', readOnly: true, pathType: 'Directory' });
    expect(others.map(({ hostPath }) => hostPath)).toEqual(['/etc/kubernetes/ab']);
    expect(volumesIn(cluster, 'controllerManager')).toBeUndefined();
  });

  it('have names of their own that stay when a file is added', () => {
    const before = volumesIn(clusterWith({ files: [file('/etc/kubernetes/b/x')] }), 'apiServer') ?? [];
    const after = volumesIn(
      clusterWith({ files: [file('/etc/kubernetes/a/x'), file('/etc/kubernetes/b/x')] }),
      'apiServer',
    );
    expect(after).toHaveLength(2);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(new Set(after?.map(({ name }) => name)).size).toBe(2);
  });

  it('do not come twice where the file mounts the directory itself', () => {
    const volume = { name: 'all', hostPath: '/etc/kubernetes/a', mountPath: '/etc/kubernetes/a', readOnly: true };
    const cluster = clusterWith({
      files: [file('/etc/kubernetes/a/x')],
      apiServer: { extraArgs: [], extraVolumes: [{ ...volume, pathType: null }] },
    });
    expect(volumesIn(cluster, 'apiServer')).toEqual([volume]);
  });
});
