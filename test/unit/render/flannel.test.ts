import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { CONTENT_HASH_ANNOTATION, renderFlannel } from '../../../src/components/network/flannel/render/manifest.js';
import { clusterOf } from '../cluster-fixture.js';
import { expectGolden } from './golden.js';

const upstream = readFileSync(fileURLToPath(new URL('golden/flannel-upstream.yml.golden', import.meta.url)), 'utf8');
const cluster = clusterOf({ controlPlanes: 1, workers: 1 });

interface Resource {
  kind: string;
  metadata: { annotations?: Record<string, string> };
  data: Record<string, string>;
  spec: { template: { spec: { containers: { args: string[]; image: string; imagePullPolicy?: string }[] } } };
}

function resourceOf(text: string, kind: string): Resource {
  const found = parseAllDocuments(text)
    .map((document) => document.toJS() as Resource)
    .find((resource) => resource.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
}

describe("flannel's manifest", () => {
  test('as rendered', () => expectGolden('flannel.yml', renderFlannel(upstream, cluster).content));

  test('has the pod network and backend of cluster.yaml', () => {
    const other = clusterOf({ controlPlanes: 1, workers: 0 });
    other.kubernetes.podSubnet = '10.111.0.0/16';
    other.network = { plugin: 'flannel', backend: { Type: 'host-gw' } };
    const network = JSON.parse(
      resourceOf(renderFlannel(upstream, other).content, 'ConfigMap').data['net-conf.json'] ?? '',
    );
    expect(network).toMatchObject({ Network: '10.111.0.0/16', Backend: { Type: 'host-gw' } });
  });

  test("takes each node's address from the node, never from a card", () => {
    const [container] = resourceOf(renderFlannel(upstream, cluster).content, 'DaemonSet').spec.template.spec.containers;
    expect(container?.args).toContain('--iface=$(NODE_IP)');
    expect(container?.imagePullPolicy).toBeUndefined();
  });

  test('is annotated with a hash that changes with the content and with nothing else', () => {
    const { content, hash } = renderFlannel(upstream, cluster);
    expect(resourceOf(content, 'DaemonSet').metadata.annotations?.[CONTENT_HASH_ANNOTATION]).toBe(hash);
    expect(renderFlannel(upstream, structuredClone(cluster)).hash).toBe(hash);
    const other = clusterOf({ controlPlanes: 1, workers: 0 });
    other.kubernetes.podSubnet = '10.9.0.0/16';
    expect(renderFlannel(upstream, other).hash).not.toBe(hash);
  });

  test.each([
    ['without a DaemonSet', upstream.replace('kind: DaemonSet', 'kind: Deployment'), 'no DaemonSet kube-flannel-ds'],
    ['without net-conf.json', upstream.replace('net-conf.json:', 'other.json:'), 'data.net-conf.json is not there'],
  ])('%s is refused', (_, text, why) => {
    expect(() => renderFlannel(text, cluster)).toThrow(
      expect.objectContaining({ code: 'KW460', message: expect.stringContaining(why) }),
    );
  });
});
