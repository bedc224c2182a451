import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PageFolders, pageFolders } from '../../../src/dashboard/files.js';
import type { DashboardReader } from '../../../src/dashboard/reader.js';
import type { DescribedRun } from '../../../src/engine/index.js';
import type { DrillReport } from '../../../src/plan/drill-report.js';

/** Stands in for Temporal: says what a test has it say, and counts how often it was asked. */
export class FakeReader implements DashboardReader {
  readonly asked: Record<string, number> = {};
  /** Thrown by every question. */
  away: Error | undefined;
  /** The operation of every cluster. */
  run: DescribedRun | undefined;
  check: string | undefined;
  /** Reports of drills of every cluster, the latest first. */
  drilled: DrillReport[] = [];
  /** How many follow operations now. */
  following = 0;

  async clusters() {
    this.ask('clusters');
    const run = { workflowId: 'cluster/demo', runId: 'r', state: '', phase: '', blocked: [] };
    return [{ cluster: 'demo', ...run, status: 'running' as const, startedAt: 0 }];
  }

  async schedules() {
    this.ask('schedules');
    return { checks: [], drills: [] };
  }

  async *operations(_cluster: string, { signal }: { signal?: AbortSignal }) {
    this.ask('operations');
    this.following += 1;
    try {
      yield this.run;
      await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
    } finally {
      this.following -= 1;
    }
  }

  async status(cluster: string) {
    this.ask('status');
    const [drill] = this.drilled;
    return { cluster, health: {}, unread: {}, ...(drill && { drill }) };
  }

  async day(cluster: string) {
    this.ask('day');
    return { cluster, from: 0, to: 86_400_000, slotMs: 1_800_000, checks: 0, skipped: 0, rows: [] };
  }

  async drills() {
    this.ask('drills');
    return this.drilled;
  }

  async latestCheck() {
    this.ask('latestCheck');
    return this.check;
  }

  private ask(what: string): void {
    this.asked[what] = (this.asked[what] ?? 0) + 1;
    if (this.away !== undefined) throw this.away;
  }
}

/** The page's files with a script that stands in for the compiled ones. */
export async function fakeFolders(): Promise<PageFolders> {
  const compiled = await mkdtemp(join(tmpdir(), 'kubewright-fake-page-'));
  await writeFile(join(compiled, 'main.js'), '// a fake of the compiled script\n');
  await writeFile(join(compiled, 'secret.txt'), 'not a script');
  return { ...pageFolders(), compiled };
}
