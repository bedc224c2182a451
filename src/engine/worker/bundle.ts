import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BundleOptions, WorkerOptions } from '@temporalio/worker';
import { FAILURE_CONVERTER_PATH } from '../codec/payload-codec.js';

/** The workflows, and, with a payload key, the failure converter that must be in the bundle with them. */
export function bundleOptions(encrypted: boolean): BundleOptions {
  return {
    workflowsPath: sourceOf('index'),
    preloadModules: [sourceOf('stack-traces')],
    workflowInterceptorModules: [sourceOf('early-queries')],
    failureConverterPath: encrypted ? FAILURE_CONVERTER_PATH : undefined,
  };
}

/** Compiled beside this file, or the TypeScript that the bundler reads as well (tests run from the source). */
function sourceOf(module: string): string {
  const compiled = fileURLToPath(new URL(`../../workflows/${module}.js`, import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/js$/, 'ts');
}

/** Where `scripts/bundle-workflows.mjs` leaves the bundle: `dist/`, beside `dist/src/`. */
export function bundlePath(encrypted: boolean): string {
  const name = encrypted ? 'workflow-bundle-encrypted.js' : 'workflow-bundle.js';
  return fileURLToPath(new URL(`../../../${name}`, import.meta.url));
}

/** What a worker is told of its workflows. */
export type WorkflowSource = Pick<
  WorkerOptions,
  'workflowBundle' | 'workflowsPath' | 'bundlerOptions' | 'interceptors'
>;

/** The bundle made by the build, which saves seconds at start; else what to bundle now. */
export function workflowSource(encrypted: boolean): WorkflowSource {
  const codePath = bundlePath(encrypted);
  if (existsSync(codePath)) return { workflowBundle: { codePath } };
  const { workflowsPath, preloadModules, workflowInterceptorModules: workflowModules } = bundleOptions(encrypted);
  return { workflowsPath, bundlerOptions: { preloadModules }, interceptors: { workflowModules } };
}
