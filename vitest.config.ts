import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// The examples import the package by its name; tests shall run what stands in src/, not what was built of it.
const resolve = { alias: { kubewright: fileURLToPath(new URL('./src/index.ts', import.meta.url)) } };

// What a test waits for comes later on a busy machine: vitest's own second is a limit on time, and says nothing of the code.
const PATIENT = { poll: { timeout: 15_000 } };

// Three projects, because they need different things: unit tests need nothing but Node, workflow tests need one real
// Temporal server, lab tests need root and a Linux machine. `scripts/test.mjs` runs those this machine can run.
export default defineConfig({
  test: {
    pool: 'forks',
    // Tests wait for programs and for Temporal most of their time: vitest's own default leaves a core of two with nothing to do.
    maxWorkers: availableParallelism(),
    projects: [
      {
        resolve,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 20_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'workflow',
          include: ['test/workflow/**/*.test.ts'],
          globalSetup: ['test/workflow/temporal-server.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: PATIENT,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          pool: 'forks',
          // One lab at a time: the machine's cores are shared by every host, and times are part of what is printed.
          fileParallelism: false,
          expect: PATIENT,
          testTimeout: 600_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
