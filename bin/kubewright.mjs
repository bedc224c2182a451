#!/usr/bin/env node
import { existsSync } from 'node:fs';

const client = new URL('../dist/src/client.js', import.meta.url);
if (existsSync(client)) {
  const { run } = await import(client.href);
  await run();
} else {
  console.error('kubewright is not built: run `npm ci && npm run build` in its directory first.');
  process.exitCode = 1;
}
