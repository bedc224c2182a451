import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';
import { attachServer } from '../../src/engine/embedded-server.js';
import { bundleOptions } from '../../src/engine/worker/bundle.js';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    workflowBundle: string;
  }
}

const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };

/**
 * One real server for all workflow tests, started by the code that users start it with (built first where it must be),
 * and one bundle of the workflows as they are in the source.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stateDir = await mkdtemp(join(tmpdir(), 'kubewright-test-'));
  const server = await attachServer({ stateDir, ui: false, onProgress: (line) => console.log(line) });
  const workflowBundle = join(stateDir, 'workflow-bundle.js');
  const { code } = await bundleWorkflowCode({ ...bundleOptions(false), logger: quiet });
  await writeFile(workflowBundle, code);
  project.provide('temporalAddress', server.address);
  project.provide('workflowBundle', workflowBundle);
  return async () => {
    await server.leave();
    await rm(stateDir, { recursive: true, force: true });
  };
}
