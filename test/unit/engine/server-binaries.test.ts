import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findServerBinaries } from '../../../src/engine/server/binaries.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-binaries-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const version = (server: string) => `temporal version 1.5.${server} (Server 1.29.${server}, UI 2.50.0)`;

/** A program that says it is Temporal's command line of some version. */
async function program(place: string, server: string): Promise<string> {
  const path = join(directory, place, 'temporal');
  await mkdir(join(directory, place), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${version(server)}'\n`);
  await chmod(path, 0o755);
  return path;
}

describe('the program that opens a database', () => {
  const env = () => ({ PATH: join(directory, 'path') });

  it('is the version that opened it before, where that is still found, and not the newest on PATH', async () => {
    await program('path', '9');
    const old = await program('old', '1');
    const found = await findServerBinaries({ env: env(), previous: { cli: old, version: version('1') } });
    expect(found).toMatchObject({ cli: old, version: version('1') });
    expect(found.notice).toBeUndefined();
  });

  it('is told when it has changed', async () => {
    const onPath = await program('path', '9');
    const replaced = { cli: onPath, version: version('1') };
    const found = await findServerBinaries({ env: env(), previous: replaced });
    expect(found).toMatchObject({ cli: onPath, version: version('9') });
    expect(found.notice).toContain(`last opened by "${version('1')}", which is gone`);
    expect((await findServerBinaries({ env: env() })).notice).toBeUndefined();
  });
});
