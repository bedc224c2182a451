import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { pageFolders } from '../../../src/dashboard/files.js';
import { temporalReader } from '../../../src/dashboard/reader.js';
import { type Dashboard, serveDashboard } from '../../../src/dashboard/server.js';
import { decide } from '../../../src/engine/runs/decide.js';
import type { Engine } from '../../../src/engine/types.js';

const ROOT = join(import.meta.dirname, '../../..');

/** The page's scripts as the sources say now, compiled as the build does. */
export async function compilePage(): Promise<{ folder: string; remove(): Promise<void> }> {
  const output = await mkdtemp(join(tmpdir(), 'kubewright-page-'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  await execa(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.page.json'), '--outDir', output]);
  return {
    folder: join(output, 'src/dashboard/page'),
    remove: () => rm(output, { recursive: true, force: true }),
  };
}

/** The page of an engine, on a free port, with the decisions of the command line. */
export function servePage(engine: Engine, compiled: string): Promise<Dashboard> {
  return serveDashboard({
    reader: temporalReader(engine),
    decide: async (cluster, { verb, step, blocking, reason }) =>
      decide(engine, cluster, verb, { step, blocking, reason }),
    port: 0,
    folders: { ...pageFolders(), compiled },
  });
}
