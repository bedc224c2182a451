import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { balancerFiles } from '../../../../../src/components/load-balancer/static-pods/steps/files.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { expectGolden } from '../../../render/golden.js';

const IMAGE = 'kubewright.dev/load-balancer:2.6.12-2.2.7-0a1b2c3d';
const IMAGES = { haproxy: IMAGE, keepalived: IMAGE };
const cluster = clusterOf({ controlPlanes: 3, workers: 2 }, { loadBalancer: { type: 'static-pods', images: null } });
// As the write-up has it: the API server makes room for HAProxy.
cluster.kubernetes.apiServer.port = 8443;
cluster.endpoint.port = 6443;
const [first] = cluster.hosts as [ClusterHost];

const filesOf = (of = cluster, images = IMAGES) => balancerFiles(of, first, 'eth0', images);
const named = (name: string, of = filesOf()) => of.files.find(({ path }) => path.endsWith(`/${name}`))?.content ?? '';
const containerOf = (manifest: string) => parse(manifest).spec.containers[0];

describe('what a control plane has for its static pods', () => {
  test.each(['haproxy.yaml', 'keepalived.yaml', 'haproxy.cfg', 'keepalived.conf', 'check-haproxy'])('%s', (name) =>
    expectGolden(`static-pods-${name}`, named(name)),
  );

  test('lies in a folder of its own: nothing of a HAProxy or keepalived that the host has is touched', () => {
    for (const { path } of filesOf().files) expect(path).toMatch(/^\/etc\/kubewright\/load-balancer\/[^/]+$/);
  });

  test('HAProxy binds the endpoint’s port and finds the API servers at theirs', () => {
    expect(named('haproxy.cfg')).toContain('bind *:6443\n');
    expect(named('haproxy.cfg').match(/server cp-\d 10\.88\.0\.1\d:8443\n/g)).toHaveLength(6);
  });

  test('needs nothing of the API, so it comes up before there is one', () => {
    for (const manifest of Object.values(filesOf().manifests)) {
      const pod = parse(manifest);
      expect(pod.spec).toMatchObject({ hostNetwork: true, priorityClassName: 'system-node-critical' });
      expect(pod.spec).not.toHaveProperty('serviceAccountName');
      for (const volume of pod.spec.volumes) expect(Object.keys(volume).sort()).toEqual(['hostPath', 'name']);
    }
  });

  test('HAProxy is not restarted for API servers that are down: that is its readiness', () => {
    const { livenessProbe, readinessProbe } = containerOf(named('haproxy.yaml'));
    expect(livenessProbe.tcpSocket).toEqual({ host: '127.0.0.1', port: 8404 });
    expect(readinessProbe.httpGet).toEqual({ host: '127.0.0.1', port: 8404, path: '/backend' });
  });

  test('keepalived may do with the network what VRRP needs, and nothing that it does not need', () => {
    const { capabilities, privileged } = containerOf(named('keepalived.yaml')).securityContext;
    expect(capabilities.drop).toEqual(['ALL']);
    expect(capabilities.add).toEqual(expect.arrayContaining(['NET_ADMIN', 'NET_BROADCAST', 'NET_RAW']));
    expect(capabilities.add).not.toContain('SYS_ADMIN');
    expect(privileged).toBeUndefined();
  });

  test('HAProxy has no rights but for a port that only root may bind', () => {
    expect(containerOf(named('haproxy.yaml')).securityContext).toMatchObject({
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    });
    const low = structuredClone(cluster);
    low.endpoint.port = 443;
    expect(containerOf(named('haproxy.yaml', filesOf(low))).securityContext).toMatchObject({
      runAsUser: 0,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
    });
  });
});

describe('an edit restarts the pod that it concerns, for its manifest changes', () => {
  const before = filesOf();

  test('an advertisement interval that of keepalived', () => {
    const edited = structuredClone(cluster);
    Object.assign(edited.endpoint, { advertIntervalMs: 1000 });
    const after = filesOf(edited);
    expect(after.manifests.haproxy).toBe(before.manifests.haproxy);
    expect(after.manifests.keepalived).not.toBe(before.manifests.keepalived);
    expect(after.digests.keepalived).not.toBe(before.digests.keepalived);
  });

  test('another image that of HAProxy', () => {
    const after = filesOf(cluster, { ...IMAGES, haproxy: 'docker.io/library/haproxy:3.2.4' });
    expect(after.manifests.keepalived).toBe(before.manifests.keepalived);
    expect(after.digests.haproxy).not.toBe(before.digests.haproxy);
  });

  test('and the digest is in the annotation and in the environment of the program', () => {
    const pod = parse(before.manifests.haproxy);
    expect(pod.metadata.annotations).toEqual({ 'kubewright.dev/config-digest': before.digests.haproxy });
    expect(containerOf(before.manifests.haproxy).env).toEqual([
      { name: 'KUBEWRIGHT_CONFIG_DIGEST', value: before.digests.haproxy },
    ]);
  });
});
