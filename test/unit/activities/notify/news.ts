import type { HealthChannels } from '../../../../src/cluster/health/settings.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import type { VerdictNews } from '../../../../src/plan/verdict-news.js';
import { clusterOf } from '../../cluster-fixture.js';

/** A change of the verdict, to tell. */
export const NEWS: VerdictNews = {
  id: 'demo-run-1',
  event: 'changed',
  cluster: 'demo',
  at: Date.parse('2026-03-01T09:35:10Z'),
  verdict: 'degraded',
  previous: 'ok',
  previousAt: 0,
  findings: [{ code: 'KW601', host: 'cp-2', evidence: 'it is not ready', hint: 'See its log.' }],
  more: 0,
  over: [],
};

/** A cluster whose file names these channels. */
export function clusterWith(channels: Partial<HealthChannels>): Cluster {
  const cluster = clusterOf({ controlPlanes: 1, workers: 0 });
  return { ...cluster, health: { notify: { webhook: null, mail: null, command: null, ...channels } } };
}
