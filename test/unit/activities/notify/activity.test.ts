import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it, vi } from 'vitest';
import { createActivities } from '../../../../src/activities/index.js';
import type { Post } from '../../../../src/activities/notify/post.js';
import { SENDERS } from '../../../../src/activities/notify/senders.js';
import type { RunInput, TellReference } from '../../../../src/plan/run.js';
import { clusterWith, NEWS } from './news.js';

vi.mock('../../../../src/hosts/index.js', () => ({ createHosts: () => ({}), makeSshThread: () => undefined }));

const webhook = {
  url: 'https://hooks.example.org/x',
  urlEnv: null,
  tokenEnv: 'TOKEN',
  ca: null,
  format: 'json' as const,
};
const started: RunInput = { cluster: clusterWith({ webhook }), plan: [], planHash: 'hash', build: 'b' };
const root = { workflowId: 'check/demo', runId: 'run' };

const quiet = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

/** The activity as a worker registers it, in a context as Temporal gives it; what is posted goes to a fake. */
function tell(fakePost: Post, reference: Partial<TellReference> = {}, environment = quiet()) {
  const { tellChannel } = createActivities({
    env: { TOKEN: 't0ken' },
    homeDirectory: '/',
    readRun: async () => started,
    senders: { ...SENDERS, post: fakePost },
  });
  return environment.run(() => tellChannel({ root, planHash: 'hash', channel: 'webhook', news: NEWS, ...reference }));
}

describe('the activity that tells a channel', () => {
  it('finds the channel in the first event of the check, and its secret in the environment of the worker', async () => {
    const fakePost = vi.fn<Post>(async () => ({ status: 200, body: '' }));
    expect(await tell(fakePost)).toEqual({});
    expect(fakePost.mock.calls).toMatchObject([
      [{ href: webhook.url }, { headers: { Authorization: 'Bearer t0ken' }, ca: null }],
    ]);
  });

  it('fails with a code, and for good where a further try would fail the same way', async () => {
    const refusing = tell(async () => ({ status: 404, body: '' }));
    await expect(refusing).rejects.toMatchObject({ type: 'KW686', nonRetryable: true });
    const busy = tell(async () => ({ status: 503, body: '' }));
    await expect(busy).rejects.toMatchObject({ type: 'KW686', nonRetryable: false });
  });

  it('tells nobody by the plan of another run', async () => {
    const fakePost = vi.fn<Post>();
    await expect(tell(fakePost, { planHash: 'other' })).rejects.toMatchObject({ type: 'KW562' });
    expect(fakePost).not.toHaveBeenCalled();
  });

  it('lets go when it is cancelled, and calls that no failure of the channel', async () => {
    const environment = quiet();
    const hanging: Post = (_address, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
        environment.cancel('WORKER_SHUTDOWN');
      });
    await expect(tell(hanging, {}, environment)).rejects.toBeInstanceOf(CancelledFailure);
  });
});
