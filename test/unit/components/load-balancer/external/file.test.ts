import { describe, expect, it, test } from 'vitest';
import { BASE, brief, edited, parse, problemsOf } from '../../../cluster/helpers.js';

const EXTERNAL = '  loadBalancer: { type: external }\n';
const VIP = 'vip: 10.88.0.100';

/** The base with an external load balancer at an address. */
const at = (address: string, more = '') => `${edited([VIP, `address: ${address}${more}`])}${EXTERNAL}`;
const told = (text: string) => problemsOf(text).map(brief);

describe('a file with an external load balancer', () => {
  it.each(['api.example.org', '192.0.2.7', 'api'])('names it: %s', (address) => {
    const { endpoint, loadBalancer } = parse(at(address));
    expect(endpoint).toEqual({ address, port: 6443 });
    expect(loadBalancer).toEqual({ type: 'external' });
  });

  it('says its port, which may be any: nothing on the hosts has it', () => {
    expect(parse(at('api.example.org', '\n    port: 10250')).endpoint.port).toBe(10250);
    expect(told(at('api.example.org', '\n    port: 30443'))).toEqual([]);
  });

  it.each([
    ['a port', 'api.example.org:6443', 'without a port (endpoint.port)'],
    ['a scheme', 'https://api.example.org', 'without a scheme'],
    ['IPv6', '"2001:db8::1"', 'IPv6 is not supported yet'],
    ['capitals', 'API.example.org', 'in lower case'],
    ['an address that is none', '10.88.0.256', 'an IPv4 address or a DNS name'],
  ])('has no %s in the address', (_, address, expected) => {
    const [problem, ...others] = problemsOf(at(address));
    expect(others).toEqual([]);
    expect(brief(problem as never)).toBe('7:14 bad-value spec.endpoint.address');
    expect(problem?.expected).toContain(expected);
  });

  it.each([
    ['loopback', '127.0.0.1', 'unusable-address'],
    ['the pods’ network', '10.244.3.4', 'networks-overlap'],
    ['the services’ network', '10.96.0.1', 'networks-overlap'],
    ['one of several control planes', '10.88.0.12', 'endpoint-is-host'],
    ['the name of one of several control planes', 'cp-2', 'endpoint-is-host'],
    ['a worker', '10.88.0.21', 'endpoint-is-host'],
  ])('has no address in %s', (_, address, code) => {
    expect(told(at(address))).toEqual([`7:14 ${code} spec.endpoint.address`]);
  });

  test('a single control plane may be its own endpoint', () => {
    const text = `${BASE.split('    - name: cp-2')[0]}${EXTERNAL}`.replace(VIP, 'address: 10.88.0.11');
    expect(problemsOf(text).filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('a contradiction is told at its place', () => {
  test('a virtual IP and what goes with it', () => {
    const text = `${edited([VIP, `${VIP}\n    virtualRouterId: 7`])}  loadBalancer:\n    type: external\n    source: bundle\n`;
    const problems = problemsOf(text);
    expect(problems.map(brief)).toEqual([
      '7:5 key-of-another-choice spec.endpoint.vip',
      '8:5 key-of-another-choice spec.endpoint.virtualRouterId',
      '24:5 key-of-another-choice spec.loadBalancer.source',
    ]);
    expect(problems[0]?.message).toBe(
      'this is a key of another load balancer; spec.loadBalancer.type is external (line 23)',
    );
    expect(problems[0]?.expected).toBe(
      'address (an IPv4 address or a DNS name such as api.example.org, in lower case), or spec.loadBalancer.type: haproxy-keepalived or static-pods or lvs or kube-vip',
    );
  });

  test('an address without an external load balancer', () => {
    const [problem, ...others] = problemsOf(edited([VIP, 'address: api.example.org']));
    expect(others).toEqual([]);
    expect(brief(problem as never)).toBe('7:5 key-of-another-choice spec.endpoint.address');
    expect(problem?.message).toContain('spec.loadBalancer.type is haproxy-keepalived (the default)');
    expect(problem?.expected).toBe('vip (an IPv4 address such as 10.88.0.100), or spec.loadBalancer.type: external');
  });

  test('both, and neither', () => {
    expect(told(`${edited([VIP, `${VIP}\n    address: 192.0.2.7`])}${EXTERNAL}`)).toEqual([
      '7:5 key-of-another-choice spec.endpoint.vip',
    ]);
    expect(told(`${edited([VIP, 'port: 6443'])}${EXTERNAL}`)).toEqual(['6:3 missing spec.endpoint.address']);
  });
});
