import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../../../src/engine/index.js';
import type { Sight } from '../../../../src/plan/sight.js';
import { statusLines } from '../../../../src/terminal/status/lines.js';
import { type ComparedFile, summarise } from '../../../../src/terminal/status/summary.js';
import { createTheme } from '../../../../src/terminal/theme.js';
import { clusterOf } from '../../cluster-fixture.js';
import { DRILL } from '../drills.js';
import { AT, reportOf, sightOf, wellKnown } from './known.js';

function screen(status: ClusterStatus, file?: ComparedFile, { columns = 80, theme = createTheme(false, true) } = {}) {
  return statusLines(summarise(status, file), { theme, columns, now: AT + 12_000 }).map((line) => line.trimEnd());
}

const text = (lines: string[]) => `${lines.join('\n')}\n`;

const five = clusterOf({ controlPlanes: 3, workers: 2 });
const stopped = { code: 'KW650', host: 'w-1', evidence: 'kubelet.service is not active (failed)', hint: 'Look.' };
const notReady = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: 'Look.', since: AT - 600_000 };
const whole = { code: 'KW476', host: null, evidence: 'not every member answers', hint: '', since: AT };

function degraded(): ClusterStatus {
  const seen = { ...sightOf(five, { 'w-1': { ready: false }, 'w-2': { kubelet: 'v1.34.2' } }) };
  const status = wellKnown();
  return {
    ...status,
    health: { ...status.health, report: reportOf(five, [notReady, stopped, whole], seen), silentSince: AT },
  };
}

/** Three control planes, one of which is not well, and 300 workers, of which some are not. */
function crowd(troubled: number): ClusterStatus {
  const cluster = clusterOf({ controlPlanes: 3, workers: 300 });
  const names = Array.from({ length: troubled }, (_, index) => `w-${index * 3 + 2}`);
  const findings = names.map((host) => ({ code: 'KW481', host, evidence: `${host} is not Ready`, hint: '' }));
  const seen = sightOf(cluster, Object.fromEntries(names.map((name) => [name, { ready: false }])));
  return wellKnown(cluster, { health: { report: reportOf(cluster, findings, seen) } });
}

const edited: ComparedFile = {
  path: 'cluster.yaml',
  cluster: clusterOf({ controlPlanes: 3, workers: 3 }, { kubernetes: { ...five.kubernetes, version: '1.34.4' } }),
};

describe('the screen of a cluster', () => {
  it('that is well is short', async () => {
    const lines = screen(wellKnown(), { path: 'cluster.yaml', cluster: five });
    await expect(text(lines)).toMatchFileSnapshot('../golden/status-well.golden');
  });

  it('that is degraded tells what, where, since when, and what the file says otherwise', async () => {
    await expect(text(screen(degraded(), edited))).toMatchFileSnapshot('../golden/status-degraded.golden');
  });

  it('says the same without signs beyond ASCII, and with colours', async () => {
    const how = (color: boolean, unicode: boolean) => ({ theme: createTheme(color, unicode) });
    await expect(text(screen(degraded(), edited, how(false, false)))).toMatchFileSnapshot(
      '../golden/status-ascii.golden',
    );
    await expect(text(screen(wellKnown(), undefined, how(true, true)))).toMatchFileSnapshot(
      '../golden/status-colour.golden',
    );
  });

  it('of 300 workers lists those that are not well, and counts the others', async () => {
    await expect(text(screen(crowd(2)))).toMatchFileSnapshot('../golden/status-300.golden');
    const lines = screen(crowd(50));
    expect(lines.length).toBeLessThan(45);
    expect(lines).toContain('  ✗ 30 more hosts not well: w-62, w-65, w-68, w-71 and 26 more');
    expect(lines).toContain('  ✓ 250 others: Ready with v1.34.3');
  });

  it('of 300 workers that no check has seen, or that one did not tell, does not call them well', () => {
    const unseen = screen({ ...crowd(0), health: {} });
    expect(unseen).toContain('300 workers');
    expect(unseen.join('\n')).not.toMatch(/300 others/);
    const { health, ...rest } = crowd(0);
    const seen = { ...health.report?.seen, nodes: [], moreNodes: 303 };
    const cut = screen({ ...rest, health: { report: { ...reportOf(five), seen } } });
    expect(cut).toContain('  · 300 others: the last check does not tell');
  });

  it('that was drilled tells what each scenario has measured, and that something went wrong', () => {
    const problem = { step: 'cluster/power-health', code: 'KW675', message: 'it is not whole', hint: '' };
    const lines = screen(wellKnown(five, { drill: { ...DRILL, at: AT - 60_000, problems: [problem] } }));
    expect(lines).toEqual(
      expect.arrayContaining([
        'drill     the longest gaps (2026-03-02 09:29 UTC, 1 m 12 s ago)',
        '          balancer (cp-1): API 410 ms, reads 420 ms, writes 1300 ms, DNS 110 ms',
        '          power (cp-2): API 900 ms, reads 2600 ms, writes 2700 ms, DNS 130 ms',
        '          1 problem; `kubewright drill history` says which',
      ]),
    );
  });

  it('of a single host is as short', () => {
    const one = clusterOf({ controlPlanes: 1, workers: 0 });
    const seen = { ...sightOf(one), etcdLeader: 'cp-1' };
    const lines = screen(wellKnown(one, { health: { report: reportOf(one, [], seen) } }));
    expect(lines.slice(-2)).toEqual(['1 control plane', '  ✓ cp-1  10.88.0.11  v1.34.3  virtual IP, etcd leader']);
  });

  it('tells the age of the newest snapshot of etcd, where a check has looked for some', () => {
    const snapshots = [{ host: 'cp-1' }, { host: 'cp-2', file: '/b/a.db', at: AT - 3 * 3_600_000 }];
    const linesOf = (seen: Sight) => screen(wellKnown(five, { health: { report: reportOf(five, [], seen) } }));
    const line = 'newest snapshot 2026-03-02 06:30 UTC, 3 h 00 m ago, on cp-2';
    const told = linesOf({ ...sightOf(five), snapshots });
    expect(told.slice(told.indexOf('etcd      led by cp-2')).slice(0, 2)).toEqual([
      'etcd      led by cp-2',
      `          ${line}`,
    ]);
    expect(linesOf({ snapshots })).toContain(`etcd      ${line}`);
    expect(linesOf({ ...sightOf(five), snapshots: [{ host: 'cp-1' }] }).join()).not.toContain('snapshot');
  });

  it('of a cluster whose hosts were given back has no host, and calls nothing of it unknown', () => {
    const { applied: _applied, ...rest } = wellKnown(five, { health: {}, givenBackAt: AT });
    expect(screen(rest, edited)).toEqual([
      'applied   nothing: a reset has given its hosts back (2026-03-02 09:30 UTC)',
    ]);
  });

  it('tells hosts that are no nodes, too', () => {
    const wide = clusterOf({ controlPlanes: 1, workers: 0, etcd: 3, directors: 2 });
    const found = { code: 'KW646', host: 'etcd-2', evidence: '/ is full', hint: '' };
    const lines = screen(wellKnown(wide, { health: { report: reportOf(wide, [found]) } }));
    expect(lines).toContain('3 etcd hosts');
    expect(lines).toContain('  ✗ etcd-2  10.88.0.32  KW646');
    expect(lines).toContain('  ✓ lb-2  10.88.0.72');
  });

  it('tells two holders of the virtual IP from one and from none', () => {
    const held = (...virtualIpHolders: string[]) =>
      screen(wellKnown(five, { health: { report: reportOf(five, [], { ...sightOf(five), virtualIpHolders }) } }));
    expect(held('cp-3')).toContain('endpoint  10.88.0.100:8443, held by cp-3');
    expect(held('cp-1', 'cp-2')).toContain('endpoint  10.88.0.100:8443, held by cp-1 and cp-2 at the same time');
    expect(held()).toContain('endpoint  10.88.0.100:8443, held by nobody');
  });

  it.each([24, 40, 80, 200])('never has a line wider than %i columns', (columns) => {
    for (const status of [wellKnown(), degraded(), crowd(50), { ...wellKnown(), health: {} }]) {
      for (const line of screen(status, edited, { columns })) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('prints nothing that a host, or a server, wrote to steer the terminal', () => {
    const status = degraded();
    const report = reportOf(five, [{ ...notReady, evidence: 'w-1\u001b[2J is\u0007 not Ready' }]);
    const lines = screen({ ...status, health: { report, unread: { schedule: 'no\u001b[2J' } } });
    expect(lines.join('\n')).not.toContain('\u001b');
  });
});
