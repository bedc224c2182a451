import { expect, it } from 'vitest';
import { OPERATION_NAMES, OPERATIONS } from '../../../src/plan/operations.js';
import * as workflows from '../../../src/workflows/index.js';

type Declared = { workflowDefinitionOptions?: { versioningBehavior?: string } };
const types = workflows as unknown as Record<string, Declared>;

it.each(OPERATION_NAMES)('%s is pinned to the build that began it if it changes a cluster, and only then', (name) => {
  const { workflow, mutating } = OPERATIONS[name];
  expect(types[workflow]?.workflowDefinitionOptions?.versioningBehavior).toBe(mutating ? 'PINNED' : 'AUTO_UPGRADE');
});

it('no workflow type is without a word about it, and groups stay with their run', () => {
  const behaviors = Object.values(types).map(
    ({ workflowDefinitionOptions }) => workflowDefinitionOptions?.versioningBehavior,
  );
  expect(behaviors).not.toContain(undefined);
  expect(types.runGroup?.workflowDefinitionOptions?.versioningBehavior).toBe('PINNED');
});
