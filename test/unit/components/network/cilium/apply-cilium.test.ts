import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carryOut } from '../../../../../src/activities/step.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { applyCilium } from '../../../../../src/components/network/cilium/steps/applyCilium.js';
import { BashHosts } from '../../../activities/bash-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const KUBECTL = join(import.meta.dirname, '../manifest/fake-kubectl.mjs');

/**
 * Stands in for helm, which is not here: it notes how it was called and prints objects like those that the chart makes, with a value of the
 * file in them. Where `$SHARED/rendered` is there, it prints that.
 */
const HELM = `#!/bin/bash
shared=\${0%/cp-1/opt/*}
printf '%s\\n' "$*" >>"$shared/helm.log"
values=$(cat)
if [ -e "$shared/rendered" ]; then cat "$shared/rendered"; exit "$(cat "$shared/exit-code" 2>/dev/null || echo 0)"; fi
cat <<EOT
---
# Source: cilium/templates/cilium-agent/serviceaccount.yaml
apiVersion: v1
kind: ServiceAccount
metadata: { name: cilium, namespace: kube-system }
---
# Source: cilium/templates/cilium-configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: cilium-config, namespace: kube-system }
data: { values: '$values' }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: cilium, namespace: kube-system }
spec: { template: { spec: { containers: [{ name: cilium-agent, image: "quay.io/cilium/cilium:v1.20.2" }] } } }
EOT
`;
const OBJECTS = ['configmap_kube-system_cilium-config', 'configmap_kube-system_kubewright-network'];

let hosts: BashHosts;
let cluster: Cluster;
beforeEach(() => {
  cluster = clusterOf(
    { controlPlanes: 1, workers: 1 },
    { network: { plugin: 'cilium', encapsulation: 'vxlan', mtu: 1450 } },
  );
  hosts = new BashHosts(cluster);
  hosts.program('kubectl', `exec ${process.execPath} ${KUBECTL} "$SHARED" "$@"`);
  hosts.program('uname', 'echo x86_64');
  hosts.write('cp-1', 'etc/kubernetes/admin.conf');
  mkdirSync(join(hosts.root, 'objects'));
  cluster.packages = { source: 'bundle', bundle: bundle(['quay.io/cilium/cilium:v1.20.2']), proxy: null };
});
afterEach(() => hosts.remove());

/** A bundle with helm, a chart and these images. */
function bundle(images: string[]): string {
  const directory = join(hosts.root, 'bundle');
  const files = Object.entries({ 'bin/helm': HELM, 'manifests/cilium.tgz': 'a chart' }).map(([path, content]) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    return {
      path,
      sha256: sha256(content),
      size: Buffer.byteLength(content),
      mode: path.startsWith('bin/') ? 0o755 : 0o644,
    };
  });
  const image = (name: string) => ({
    ...{ file: 'images/cilium.tar', names: [name], neededBy: 'every-node', network: 'cilium' },
    ...{ sha256: sha256(''), size: 0, version: 'v1.20.2' },
  });
  const manifest = {
    ...{ apiVersion: 'kubewright.dev/v1alpha1', kind: 'Bundle', kubernetesVersion: '1.34.3', architecture: 'amd64' },
    ...{ source: 'official', versions: { cilium: 'v1.20.2', helm: 'v4.3.1' }, files, images: images.map(image) },
  };
  writeFileSync(join(directory, 'bundle.json'), JSON.stringify(manifest));
  return directory;
}

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const context = (of = cluster) =>
  hosts.context('applyCilium', null, new AbortController().signal, undefined, {
    input: { cluster: of, wholeCluster: of },
  });
const objects = () => readdirSync(join(hosts.root, 'objects')).sort();

// Each call of kubectl starts a program.
describe('Cilium', { timeout: 60_000 }, () => {
  it('is rendered on a control plane by the bundle\u2019s helm and applied whole, once', async () => {
    const { changes } = await applyCilium.probe(context());
    expect(changes).toEqual(["bring helm and Cilium's chart to cp-1", 'apply the pod network']);
    expect(hosts.shared('helm.log')).toBe('');
    expect(objects()).toEqual([]);

    expect(await carryOut(applyCilium, context())).toMatchObject({ outcome: 'changed' });
    expect(objects()).toEqual([...OBJECTS, 'daemonset.apps_kube-system_cilium', 'serviceaccount_kube-system_cilium']);
    expect(hosts.read('cp-1', 'opt/kubewright/cilium/1.20.2/cilium.tgz')).toBe('a chart');
    const called = hosts.shared('helm.log').trim().split('\n');
    expect(new Set(called.map((line) => line.replaceAll(hosts.root, '')))).toEqual(
      new Set([
        'template cilium /cp-1/opt/kubewright/cilium/1.20.2/cilium.tgz --namespace kube-system --kube-version v1.34.3 --values -',
      ]),
    );
    expect(await carryOut(applyCilium, context())).toMatchObject({ outcome: 'unchanged' });
  });

  it('has the values of the file, and is applied again where one was edited', async () => {
    await carryOut(applyCilium, context());
    const { object } = JSON.parse(hosts.shared('objects/configmap_kube-system_cilium-config'));
    expect(JSON.parse(object.data.values)).toMatchObject({
      MTU: 1500,
      k8sServiceHost: '10.88.0.100',
      k8sServicePort: '8443',
    });
    const edited = { ...cluster, network: { ...cluster.network, mtu: 8950 } } as Cluster;
    expect((await applyCilium.probe(context(edited))).changes).toEqual(['apply the manifests, which have changed']);
  });

  it.each([
    [
      'an image that the bundle lacks',
      'KW495',
      'quay.io/cilium/cilium-envoy:v1',
      pod('quay.io/cilium/cilium-envoy:v1'),
    ],
    ['a Secret', 'KW494', '', 'apiVersion: v1\nkind: Secret\nmetadata: { name: cilium-ca, namespace: kube-system }\n'],
    ['nothing', 'KW494', '', ''],
    ['no YAML', 'KW494', '', 'Error: INSTALLATION FAILED\n'],
  ])('that makes %s is not applied', async (_, code, says, rendered) => {
    writeFileSync(join(hosts.root, 'rendered'), rendered);
    await expect(carryOut(applyCilium, context())).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
    expect(objects()).toEqual([]);
  });

  it('that helm does not render is not applied, whatever it has printed', async () => {
    writeFileSync(join(hosts.root, 'rendered'), pod('quay.io/cilium/cilium:v1.20.2'));
    writeFileSync(join(hosts.root, 'exit-code'), '1');
    await expect(carryOut(applyCilium, context())).rejects.toMatchObject({ code: 'KW494' });
    expect(objects()).toEqual([]);
  });
});

function pod(image: string): string {
  const spec = `spec: { template: { spec: { containers: [{ name: a, image: "${image}" }] } } }`;
  return `apiVersion: apps/v1\nkind: DaemonSet\nmetadata: { name: a, namespace: kube-system }\n${spec}\n`;
}
