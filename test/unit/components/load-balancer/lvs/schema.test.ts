import { describe, expect, test } from 'vitest';
import { BASE, brief, parse, problemsOf } from '../../../cluster/helpers.js';

const DIRECTORS = `    - name: lb-1
      address: 10.88.0.71
      role: director
    - name: lb-2
      address: 10.88.0.72
      role: director
`;
const LVS = '  loadBalancer: { type: lvs }\n';
const file = (hosts = DIRECTORS, rest = LVS) => `${BASE}${hosts}${rest}`;
const found = (text: string) => problemsOf(text).map(brief);

describe('LVS in cluster.yaml', () => {
  test('has the API server’s own port and two directors, without a word', () => {
    const cluster = parse(file());
    expect(problemsOf(file())).toEqual([]);
    expect(cluster.endpoint).toMatchObject({ vip: '10.88.0.100', port: 6443, virtualRouterId: 100 });
    expect(cluster.loadBalancer).toEqual({ type: 'lvs', source: 'bundle' });
  });

  test('warns about a single director', () => {
    expect(found(file(DIRECTORS.split('    - name: lb-2')[0]))).toEqual(['! 8:3 single-director spec.hosts']);
  });

  test('wants a director', () => {
    expect(found(file(''))).toEqual(['21:25 no-director spec.loadBalancer.type']);
  });

  test('is what directors are for: with another load balancer the role is an error, at its place', () => {
    expect(found(file(DIRECTORS, ''))).toEqual([
      '23:13 role-of-another-load-balancer spec.hosts[4].role',
      '26:13 role-of-another-load-balancer spec.hosts[5].role',
    ]);
    const [problem] = problemsOf(file(DIRECTORS, '  loadBalancer: { type: static-pods }\n'));
    expect(problem?.expected).toBe('another role, or spec.loadBalancer.type: lvs');
  });

  test.each([
    ['its address', DIRECTORS.replace('10.88.0.71', '10.88.0.12')],
    [
      'the address that it is logged in at',
      DIRECTORS.replace('role: director\n', 'role: director\n      ssh: { address: 10.88.0.12 }\n'),
    ],
  ])('refuses a director that is a control plane as well, by %s', (_, hosts) => {
    const problem = problemsOf(file(hosts)).find(({ code }) => code === 'director-is-node');
    expect(problem?.path).toBe('spec.hosts[4].role');
    expect(problem?.message).toContain('cp-2 (control-plane, line 12)');
  });

  test('wants directors on the wire of the virtual IP', () => {
    const hosts = DIRECTORS.replace('10.88.0.72', '10.89.0.72');
    expect(found(file(hosts))).toEqual(['25:16 outside-vip-subnet spec.hosts[5].address']);
  });

  test('keeps the port: another one at the virtual IP is refused, the API server’s is not', () => {
    const moved = (rest: string) => file().replace('vip: 10.88.0.100\n', `vip: 10.88.0.100\n    port: 8443\n`) + rest;
    expect(found(moved(''))).toEqual(['8:11 port-differs spec.endpoint.port']);
    expect(found(moved('  kubernetes: { apiServer: { port: 8443 } }\n'))).toEqual([]);
  });

  test('lets nobody take the settings away that keep control planes silent; stricter ones may stay', () => {
    const settings = (name: string, value: string) => file(DIRECTORS, `${LVS}  sysctls: { ${name}: ${value} }\n`);
    expect(found(settings('net.ipv4.conf.all.arp_ignore', '0'))).toEqual([
      '28:44 needed-sysctl spec.sysctls["net.ipv4.conf.all.arp_ignore"]',
    ]);
    expect(found(settings('net.ipv4.conf.all.arp_announce', '1'))).toHaveLength(1);
    expect(found(settings('net.ipv4.conf.all.arp_ignore', '2'))).toEqual([]);
    expect(found(settings('net.ipv4.ip_nonlocal_bind', '0'))).toEqual([]);
  });

  test('gives a director neither labels nor taints', () => {
    const hosts = DIRECTORS.replace('role: director\n', 'role: director\n      labels: { a: b }\n');
    expect(found(file(hosts))).toEqual(['24:7 director-host-is-no-node spec.hosts[4].labels']);
  });
});
