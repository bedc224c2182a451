import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { connect } from '../../src/engine/connect.js';
import { runWorker } from '../../src/worker.js';

const stateDir = tmpdir();

async function silentServer(): Promise<string> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

describe('connecting', () => {
  it('says what it tried where nothing answers, and does not wait long', async () => {
    const refused = connect({ address: '127.0.0.1:1', env: {}, stateDir, connectTimeoutMs: 500 });
    await expect(refused).rejects.toMatchObject({
      code: 'KW502',
      message: expect.stringContaining('127.0.0.1:1 (without TLS)'),
      hint: expect.stringContaining('embedded server'),
    });
    const silent = connect({ address: await silentServer(), env: {}, stateDir, connectTimeoutMs: 500 });
    await expect(silent).rejects.toMatchObject({ code: 'KW502' });
    const tls = connect({
      address: inject('temporalAddress'),
      tls: { enabled: true },
      env: {},
      stateDir,
      connectTimeoutMs: 500,
    });
    await expect(tls).rejects.toMatchObject({ code: 'KW502', message: expect.stringContaining('(with TLS)') });
  });

  it('says how to make a namespace that is not there', async () => {
    const refused = connect({ address: inject('temporalAddress'), namespace: 'nowhere', env: {}, stateDir });
    await expect(refused).rejects.toMatchObject({
      code: 'KW503',
      hint: expect.stringContaining('temporal operator namespace create --namespace nowhere'),
    });
  });

  it('knows what it reached: somebody else’s server, with our search attributes', async () => {
    const engine = await connect({ address: inject('temporalAddress'), env: {}, stateDir });
    onTestFinished(() => engine.close());
    expect(engine).toMatchObject({ searchAttributes: true, notices: [], server: undefined, taskQueue: 'kubewright' });
    expect(engine.environment).toEqual({ TEMPORAL_ADDRESS: inject('temporalAddress') });
  });
});

describe('a worker', () => {
  it('does not start where no server answers, or none of that namespace, and says so', async () => {
    const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
    await expect(runWorker({ env, stateDir, activities: {} })).rejects.toMatchObject({ code: 'KW502' });
    const nowhere = { TEMPORAL_ADDRESS: inject('temporalAddress'), TEMPORAL_NAMESPACE: 'nowhere' };
    await expect(runWorker({ env: nowhere, stateDir, activities: {} })).rejects.toMatchObject({ code: 'KW503' });
  });
});
