import type { TestContext } from 'vitest';

/** Skips a test that this machine cannot run, and says so aloud: a reporter shows the name of a skipped test at best. */
export function notRunHere(context: TestContext, why: string): never {
  console.log(`not run here: ${context.task.name} (${why})`);
  return context.skip(`not run here: ${why}`);
}
