import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const loader = fileURLToPath(new URL('../../workflow/typescript-loader.mjs', import.meta.url));
const script = fileURLToPath(new URL('./interrupted-child.ts', import.meta.url));
let folder: string;
let build: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubewright-interrupt-'));
  await writeFile(join(folder, 'go'), `#!/bin/sh\n/usr/bin/touch ${folder}/started\nexec /bin/sleep 60\n`);
  await chmod(join(folder, 'go'), 0o755);
});

afterEach(async () => {
  build?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

it.each(['SIGINT', 'SIGTERM'] as const)(
  'clears up on %s: no half artifact, no scratch space, no lock',
  async (signal) => {
    const env = { ...process.env, PATH: folder, KUBEWRIGHT_CACHE: join(folder, 'cache') };
    const child = spawn(process.execPath, ['--import', loader, script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    build = child;
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    await vi.waitFor(async () => expect(await readdir(folder)).toContain('started'), { timeout: 60_000 });
    child.kill(signal);
    const [exitCode] = await once(child, 'exit');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'KW703\n' });
    expect(await readdir(join(folder, 'cache/things'))).toEqual(['CACHEDIR.TAG']);
    expect(await readdir(join(folder, 'cache/scratch'))).toEqual(['CACHEDIR.TAG']);
  },
  90_000,
);
