import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import protobuf from '@temporalio/proto';
import { checkIdOf } from '../../src/engine/runs/check-reports.js';
import { checkNow } from '../../src/engine/runs/checks.js';
import { decide } from '../../src/engine/runs/decide.js';
import type { FakeActivities } from './fake-activities.js';
import type { TestEngine } from './harness.js';
import { blocked, closed, type StartedTest, startTest, stateOf, testCluster, until } from './harness.js';

/** Histories of released workflow versions, `test/histories/VERSION/STORY.json`. */
export const HISTORIES = fileURLToPath(new URL('../histories/', import.meta.url));

const { History } = protobuf.temporal.api.history.v1;

export async function keptHistories(): Promise<{ name: string; history: unknown }[]> {
  const names = (await readdir(HISTORIES, { recursive: true })).filter((name) => name.endsWith('.json')).sort();
  const read = async (name: string): Promise<unknown> => importHistory(await readFile(`${HISTORIES}${name}`, 'utf8'));
  return Promise.all(names.map(async (name) => ({ name, history: await read(name) })));
}

/**
 * What an install can go through, told by one run each. Together they write every kind of command that the workflow
 * has.
 */
export const STORIES: Record<string, (engine: TestEngine, fakes: FakeActivities) => Promise<StartedTest>> = {
  // A step parks twice and is retried by update and by signal; a worker is left out; wrong messages come in between.
  finished: async (engine, fakes) => {
    fakes.failing('cp-2/join', 4).failing('w-1/images');
    const install = await startTest(engine);
    const { cluster, workflowId } = install;
    const handle = engine.client.workflow.getHandle(workflowId);
    await until(engine, cluster.name, (now) => blocked(2)(now) && stateOf(now, 'w-2/check-images') === 'done');
    await handle.signal('retry', { step: 'cp2/join' });
    await decide(engine, cluster.name, 'skip', { step: 'w-1/images', reason: 'its disk is broken' });
    await decide(engine, cluster.name, 'retry', { step: 'cp-2/join' });
    await until(engine, cluster.name, (now) => now.progress.blocked[0]?.blocking === 3);
    await handle.signal('retry');
    await until(engine, cluster.name, closed);
    return install;
  },
  // A person gives up while one step is blocked and others run.
  aborted: async (engine, fakes) => {
    fakes.failing('cp-2/join').holding('w-1/join');
    const install = await startTest(engine);
    const { cluster } = install;
    await until(engine, cluster.name, (now) => blocked()(now) && now.activities['w-1/join'] !== undefined);
    await decide(engine, cluster.name, 'abort', { reason: 'wrong subnet' });
    await until(engine, cluster.name, closed);
    return install;
  },
  // A health check finds what its second look finds again, and what only its first one saw.
  checked: async (engine, fakes) => {
    const cluster = testCluster();
    const fault = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: 'Look there.' };
    fakes.on('cluster/nodes', () => ({ outcome: 'unchanged', summary: '', findings: [fault] }));
    fakes.on('cluster/dns', () => {
      const findings = fakes.triesOf('cluster/dns') > 1 ? [] : [{ ...fault, code: 'KW483' }];
      return { outcome: 'unchanged', summary: '', findings };
    });
    await checkNow(engine, cluster);
    const workflowId = checkIdOf(cluster.name);
    const { runId } = await engine.client.workflow.getHandle(workflowId).describe();
    return { cluster, workflowId, runId };
  },
};

/**
 * A run's history as it is kept: JSON by names, without what tells of the machine it was made on. (The SDK has
 * functions for the JSON of Temporal's own tools. They compare protobuf types by identity, and npm installs the library
 * twice.)
 */
export async function exportHistory(engine: TestEngine, { workflowId, runId }: StartedTest): Promise<string> {
  const history = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const plain = History.toObject(History.fromObject(history), { enums: String, longs: String, bytes: String });
  return `${JSON.stringify(anonymous(plain), null, 1).replaceAll(hostname(), 'host')}\n`;
}

export function importHistory(text: string): unknown {
  return History.fromObject(JSON.parse(text) as Record<string, unknown>);
}

const TELLING = new Set(['identity', 'stackTrace']);

function anonymous(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anonymous);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, inner]) => [name, TELLING.has(name) ? '' : anonymous(inner)]));
}
