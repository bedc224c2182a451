import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleOptions } from '../../src/engine/worker/bundle.js';
import { checkBundle } from '../../src/engine/worker/bundle-check.js';

const silent = { trace() {}, debug() {}, info() {}, log() {}, warn() {}, error() {} };

describe('the workflow bundle', () => {
  it.each([false, true])('is made of workflow code alone (with a payload key: %s)', async (encrypted) => {
    const { code } = await bundleWorkflowCode({ ...bundleOptions(encrypted), logger: silent });
    expect(checkBundle(code)).toEqual([]);
    expect(code.includes('encodeCommonAttributes: true')).toBe(encrypted);
  });

  describe('with something that does not belong there', () => {
    let directory: string;
    beforeAll(async () => {
      directory = await mkdtemp(join(import.meta.dirname, 'bundle-'));
    });
    afterAll(() => rm(directory, { recursive: true, force: true }));

    it('is refused: zod', async () => {
      const workflowsPath = join(directory, 'zod.ts');
      await writeFile(
        workflowsPath,
        "import { z } from 'zod';\nexport * from '../../../src/workflows/index.js';\nz.string();\n",
      );
      const { code } = await bundleWorkflowCode({ workflowsPath, logger: silent });
      expect(checkBundle(code).some((fault) => /node_modules\/zod\//.test(fault))).toBe(true);
    });

    it('is refused: other rooms of this project', async () => {
      const workflowsPath = join(directory, 'room.ts');
      const code =
        "import { planInstall } from '../../../src/plan/install.js';\nexport const installCluster = planInstall;\n";
      await writeFile(workflowsPath, code);
      const bundle = await bundleWorkflowCode({ workflowsPath, logger: silent });
      const faults = checkBundle(bundle.code);
      expect(faults).toContain('./src/plan/install.ts does not belong into workflow code');
      expect(faults).toContain('it does not hold the engine');
    });

    it('cannot even be made: a module of Node', async () => {
      const workflowsPath = join(directory, 'node.ts');
      await writeFile(workflowsPath, "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n");
      await expect(bundleWorkflowCode({ workflowsPath, logger: silent })).rejects.toThrow();
    });
  });
});
