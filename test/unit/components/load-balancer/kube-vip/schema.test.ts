import { describe, expect, test } from 'vitest';
import { BASE, brief, parse, problemsOf } from '../../../cluster/helpers.js';

const spec = (...lines: string[]) => `${BASE}${lines.map((line) => `  ${line}\n`).join('')}`;
const balancer = (keys = '') => spec(`loadBalancer: { type: kube-vip${keys} }`);
const found = (text: string) => problemsOf(text).map(brief);

describe('kube-vip in cluster.yaml', () => {
  test('has the API server’s own port, the bundle’s image and a short lease, without a word', () => {
    expect(problemsOf(balancer())).toEqual([]);
    const cluster = parse(balancer());
    expect(cluster.endpoint).toEqual({ vip: '10.88.0.100', port: 6443, prefixLength: 24, interface: null });
    expect(cluster.loadBalancer).toEqual({
      type: 'kube-vip',
      image: null,
      leaseDurationSeconds: 5,
      renewDeadlineSeconds: 3,
      retryPeriodSeconds: 1,
    });
  });

  test('keeps the port: another one at the virtual IP is refused, the API server’s is not', () => {
    const moved = (rest: string) =>
      balancer().replace('vip: 10.88.0.100\n', `vip: 10.88.0.100\n    port: 8443\n`) + rest;
    expect(found(moved(''))).toEqual(['8:11 port-differs spec.endpoint.port']);
    expect(found(moved('  kubernetes: { apiServer: { port: 8443 } }\n'))).toEqual([]);
  });

  test.each([
    ['renewDeadlineSeconds: 5', 'spec.loadBalancer.renewDeadlineSeconds'],
    ['leaseDurationSeconds: 3', 'spec.loadBalancer.leaseDurationSeconds'],
    ['retryPeriodSeconds: 3', 'spec.loadBalancer.retryPeriodSeconds'],
    ['renewDeadlineSeconds: 1', 'spec.loadBalancer.renewDeadlineSeconds'],
    [
      'leaseDurationSeconds: 20, renewDeadlineSeconds: 12, retryPeriodSeconds: 10',
      'spec.loadBalancer.retryPeriodSeconds',
    ],
  ])('refuses a lease that kube-vip ends on: %s', (keys, path) => {
    expect(problemsOf(balancer(`, ${keys}`)).map((each) => [each.code, each.path])).toEqual([
      ['lease-too-short', path],
    ]);
  });

  test('takes the lease that Kubernetes itself has', () => {
    expect(found(balancer(', leaseDurationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2'))).toEqual([]);
  });

  test.each(['0', '1.5', '"5"', '3601'])('refuses %s seconds', (value) => {
    expect(problemsOf(balancer(`, leaseDurationSeconds: ${value}`)).map(({ code, path }) => [code, path])).toEqual([
      ['bad-value', 'spec.loadBalancer.leaseDurationSeconds'],
    ]);
  });

  test.each(['ghcr.io/kube-vip/kube-vip', 'kube-vip:v1.2.4', 'ghcr.io/kube-vip/kube-vip:v1.2.4;reboot'])(
    'refuses the image %s',
    (image) => {
      expect(problemsOf(balancer(`, image: "${image}"`)).map(({ path }) => path)).toEqual(['spec.loadBalancer.image']);
    },
  );

  test('refuses keys of VRRP and of other load balancers at their places, and gives its own to nobody', () => {
    const vrrp = balancer().replace('vip: 10.88.0.100\n', `vip: 10.88.0.100\n    virtualRouterId: 7\n`);
    expect(problemsOf(vrrp).map(({ path }) => path)).toEqual(['spec.endpoint.virtualRouterId']);
    for (const key of ['source: bundle', 'notify: { command: [/bin/true] }'])
      expect(problemsOf(balancer(`, ${key}`)).map(({ code }) => code)).toEqual(['key-of-another-choice']);
    expect(problemsOf(spec('loadBalancer: { retryPeriodSeconds: 1 }')).map(({ code }) => code)).toEqual([
      'key-of-another-choice',
    ]);
  });

  test('keeps its metrics’ port free of the API server', () => {
    const ports = balancer().replace('vip: 10.88.0.100\n', `vip: 10.88.0.100\n    port: 2112\n`);
    expect(
      problemsOf(`${ports}  kubernetes: { apiServer: { port: 2112 } }\n`).map(({ code, path }) => [code, path]),
    ).toEqual([['port-collides', 'spec.kubernetes.apiServer.port']]);
  });
});
