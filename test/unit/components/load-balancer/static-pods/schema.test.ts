import { describe, expect, test } from 'vitest';
import { BASE, brief, edited, parse, problemsOf } from '../../../cluster/helpers.js';

const spec = (...lines: string[]) => `${BASE}${lines.map((line) => `  ${line}\n`).join('')}`;
const balancer = (keys: string) => spec(`loadBalancer: { type: static-pods${keys} }`);
const IMAGES =
  '{ haproxy: docker.io/library/haproxy:3.2.4, keepalived: registry.example.org:5000/net/keepalived@sha256:DIGEST }'.replace(
    'DIGEST',
    'a'.repeat(64),
  );

describe('a load balancer of static pods', () => {
  test('takes the image of the bundle unless the file names others', () => {
    expect(parse(balancer('')).loadBalancer).toEqual({ type: 'static-pods', images: null });
    expect(parse(balancer(', images: null')).loadBalancer).toEqual({ type: 'static-pods', images: null });
    expect(parse(balancer(`, images: ${IMAGES}`)).loadBalancer).toMatchObject({
      images: { haproxy: 'docker.io/library/haproxy:3.2.4' },
    });
  });

  test('has the endpoint of its services', () => {
    expect(parse(balancer('')).endpoint).toEqual(parse(BASE).endpoint);
  });

  test.each([
    ['docker.io/library/haproxy', 'no tag'],
    ['haproxy:3.2.4', 'no registry or path'],
    ['docker.io/library/haproxy:3.2.4;reboot', 'a command'],
    ['docker.io/library/haproxy@sha256:12', 'half a digest'],
  ])('refuses the image %s: %s', (image) => {
    const found = problemsOf(balancer(`, images: { haproxy: "${image}", keepalived: registry.example.org/k:1 }`));
    expect(found.map(({ path }) => path)).toEqual(['spec.loadBalancer.images.haproxy']);
  });

  test('wants both images', () => {
    const found = problemsOf(balancer(', images: { haproxy: docker.io/library/haproxy:3.2.4 }'));
    expect(found.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      'error spec.loadBalancer.images.keepalived',
    ]);
  });

  test('has no source, and services have no images: a key of another choice is refused at its place', () => {
    expect(problemsOf(balancer(', source: bundle')).map(brief)).toEqual([
      '21:38 key-of-another-choice spec.loadBalancer.source',
    ]);
    expect(problemsOf(spec(`loadBalancer: { images: ${IMAGES} }`)).map(brief)).toEqual([
      '21:19 key-of-another-choice spec.loadBalancer.images',
    ]);
  });
});

describe('the port of the API server', () => {
  const ports = (endpoint: number, apiServer: number) =>
    edited(['    vip: 10.88.0.100\n', `    vip: 10.88.0.100\n    port: ${endpoint}\n`]).concat(
      `  kubernetes: { apiServer: { port: ${apiServer} } }\n`,
    );

  test('may be moved away, so that the endpoint has 6443', () => {
    const cluster = parse(ports(6443, 8443));
    expect(cluster.kubernetes.apiServer.port).toBe(8443);
    expect(cluster.endpoint.port).toBe(6443);
  });

  test('is in no cluster that has the usual one: its hash stays what it was', () => {
    expect(parse(ports(8443, 6443))).toEqual(parse(ports(8443, 6443).replace(/ {2}kubernetes: .*\n/, '')));
    expect(parse(BASE).kubernetes.apiServer).not.toHaveProperty('port');
  });

  test('cannot be the endpoint’s: both are bound on every address of a control plane', () => {
    expect(problemsOf(ports(8443, 8443)).map(brief)).toContain('8:11 port-collides spec.endpoint.port');
  });

  test('cannot be another component’s', () => {
    expect(problemsOf(ports(6443, 10250)).map(({ code }) => code)).toEqual(['port-collides']);
  });
});
