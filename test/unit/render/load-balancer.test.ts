import { describe, expect, test } from 'vitest';
import { renderHaproxy } from '../../../src/components/load-balancer/haproxy-keepalived/render/haproxy.js';
import {
  renderCheckScript,
  renderKeepalived,
} from '../../../src/components/load-balancer/haproxy-keepalived/render/keepalived.js';
import { renderLoadedConfigDropIn } from '../../../src/render/loaded-config.js';
import { clusterOf } from '../cluster-fixture.js';
import { expectGolden } from './golden.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 2 });

function keepalivedOf(place: number, of = cluster): string {
  const host = of.hosts[place];
  if (host === undefined) throw new Error('no such host');
  return renderKeepalived(of, host, 'eth0');
}

function priorities(controlPlanes: number): number[] {
  const of = clusterOf({ controlPlanes, workers: 0 });
  return of.hosts.map((_, place) => Number(/^ {4}priority (\d+)$/m.exec(keepalivedOf(place, of))?.[1]));
}

describe('haproxy.cfg', () => {
  test('has every control plane in both backends and nobody else', () => {
    const text = renderHaproxy(cluster);
    expectGolden('haproxy.cfg', text);
    expect(text.match(/server cp-\d 10\.88\.0\.\d+:6443/g)).toHaveLength(6);
    expect(text).not.toContain('w-1');
  });

  test('is the same on every control plane, and binds the port of cluster.yaml', () => {
    const other = clusterOf({ controlPlanes: 1, workers: 0 });
    other.endpoint.port = 9443;
    expect(renderHaproxy(other)).toContain('bind *:9443\n');
  });
});

describe('keepalived.conf', () => {
  test('of the first control plane', () => expectGolden('keepalived-cp-1.conf', keepalivedOf(0)));

  test('names the other control planes as peers, never itself', () => {
    const text = keepalivedOf(1);
    expect(text).toContain('unicast_src_ip 10.88.0.12');
    expect(text).toMatch(/unicast_peer \{\n +10\.88\.0\.11\n +10\.88\.0\.13\n +\}/);
  });

  test('has no password, which VRRP version 3 does not know', () => {
    expect(keepalivedOf(0)).toContain('vrrp_version 3');
    expect(keepalivedOf(0)).not.toMatch(/auth/);
  });

  test('counts advertisements in seconds', () => {
    const slow = clusterOf({ controlPlanes: 2, workers: 0 });
    Object.assign(slow.endpoint, { advertIntervalMs: 1500 });
    expect(keepalivedOf(0, slow)).toContain('advert_int 1.5\n');
  });

  test('of a single control plane has no peers', () => {
    expect(keepalivedOf(0, clusterOf({ controlPlanes: 1, workers: 0 }))).not.toContain('unicast');
  });

  test.each([1, 3, 5, 7, 9])(
    'priorities of %i hosts differ, and one without a backend is below all others',
    (hosts) => {
      const all = priorities(hosts);
      expect(new Set(all).size).toBe(hosts);
      expect([...all].sort((a, b) => b - a)).toEqual(all);
      const weight = Number(/weight (-\d+)/.exec(keepalivedOf(0))?.[1]);
      expect(Math.max(...all) + weight).toBeLessThan(Math.min(...all));
      expect(Math.min(...all) + weight).toBeGreaterThan(0);
    },
  );
});

test('the check asks the port that haproxy.cfg opens for it', () => {
  expectGolden('check-haproxy', renderCheckScript());
  const port = /127\.0\.0\.1\/(\d+)/.exec(renderCheckScript())?.[1];
  expect(renderHaproxy(cluster)).toContain(`bind 127.0.0.1:${port}\n`);
});

test('the drop-in records the configuration at start and reload', () => {
  expectGolden('haproxy-drop-in.conf', renderLoadedConfigDropIn('haproxy', '/etc/haproxy/haproxy.cfg'));
});
