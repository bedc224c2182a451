// Makes an official bundle for resume.test.ts to interrupt. Argument: the address that stands for all origins.
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { interruptible } from '../../../src/artifacts/interruptible.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';

const origins = resolveOrigins([process.argv[2] ?? ''], {});
try {
  await interruptible((signal) =>
    ensureBundle({ version: '1.34.3', arch: 'amd64', from: 'official', loadBalancer: false, origins, signal }),
  );
} catch (error) {
  process.stdout.write(`${(error as { code: string }).code}\n`);
  process.exitCode = 1;
}
