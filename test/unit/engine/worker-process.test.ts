import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownIdentity } from '../../../src/engine/processes/identity.js';
import type { Engine } from '../../../src/engine/types.js';
import { ensureWorker } from '../../../src/engine/worker-process.js';
import { VERSION } from '../../../src/version.js';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-worker-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

describe('a worker of another version that runs already', () => {
  it('is neither used nor stopped nor doubled: the refusal says what to do', async () => {
    const address = '127.0.0.1:7233';
    // This very process stands for the worker: whoever ends it ends the test.
    const record = { ...(await ownIdentity()), users: [], detached: true, build: '9.8.7', address, log: 'x.log' };
    const file = join(stateDir, 'worker.json');
    await writeFile(file, JSON.stringify(record));
    const engine = { stateDir, settings: { address, namespace: 'default' }, server: {}, environment: {} };
    // A program that does not exist: whoever starts a second one meets another error.
    const asked = ensureWorker(engine as unknown as Engine, { program: join(stateDir, 'no-such-program') });
    await expect(asked).rejects.toMatchObject({
      name: 'KubewrightError',
      code: 'KW515',
      message: `A worker of kubewright 9.8.7 runs (pid ${process.pid}), this is ${VERSION}`,
      hint: expect.stringMatching(/installs end.*`kubewright worker stop`/),
    });
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(record);
  });
});
