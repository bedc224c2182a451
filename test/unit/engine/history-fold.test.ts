import {
  ApplicationFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
  type LoadedDataConverter,
} from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { HistoryFold } from '../../../src/engine/runs/history-fold.js';
import { planInstall } from '../../../src/plan/install.js';
import { clusterOf } from '../cluster-fixture.js';

type Event = temporal.api.history.v1.IHistoryEvent;

const converter: LoadedDataConverter = {
  payloadConverter: defaultPayloadConverter,
  failureConverter: defaultFailureConverter,
  payloadCodecs: [],
};
const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
const input = { cluster, plan: planInstall(cluster), planHash: 'x', build: '0.1.0' };
const STEP = 'w-1/preflight';

/** Events in the order of a history, a second apart. */
class History {
  private readonly events: Event[] = [];

  add(event: Event): this {
    const id = this.events.length + 1;
    this.events.push({ eventId: id as unknown as Event['eventId'], eventTime: { seconds: id as never }, ...event });
    return this;
  }

  /** A step is tried, and fails. */
  failed(details: object = {}): this {
    this.add({ activityTaskScheduledEventAttributes: { activityId: STEP } });
    const scheduledEventId = this.events.length as never;
    const cause = ApplicationFailure.create({
      type: 'KW301',
      message: 'too small',
      nonRetryable: true,
      details: [details],
    });
    const failure = defaultFailureConverter.errorToFailure(cause, defaultPayloadConverter);
    return this.add({ activityTaskFailedEventAttributes: { scheduledEventId, failure } });
  }

  /** The run writes its search attributes. */
  says(state: string, blocked?: string[]): this {
    const json = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)) });
    const fields = { KubewrightState: json(state), ...(blocked ? { KubewrightBlockedSteps: json(blocked) } : {}) };
    return this.add({ upsertWorkflowSearchAttributesEventAttributes: { searchAttributes: { indexedFields: fields } } });
  }

  async progress() {
    const fold = new HistoryFold(converter, input, 'cluster/test');
    for (const event of this.events) await fold.add(event);
    const progress = fold.progress();
    return { ...progress, step: progress.steps.find(({ id }) => id === STEP) };
  }
}

describe('what a history tells of a failed step', () => {
  it('never that it was skipped: its worker died before the run could call it blocked', async () => {
    const { step, blocked, state } = await new History().says('running').failed().failed().progress();
    expect(step?.state).toBe('blocked');
    expect(blocked).toMatchObject([{ step: STEP, code: 'KW301', tries: 2 }]);
    expect(state).toBe('blocked');
  });

  it('that it was skipped when the run called it blocked and then no more', async () => {
    const history = new History().failed().failed().says('blocked', [STEP]).says('running');
    const { step, blocked } = await history.progress();
    expect(step?.state).toBe('skipped');
    expect(blocked).toEqual([]);
  });

  it('never that it was skipped, where the list of blocked steps is cut short and does not name it', async () => {
    const history = new History().failed().failed().says('blocked', [STEP]).says('blocked', ['cp-1/preflight', '+48']);
    expect((await history.progress()).step?.state).toBe('blocked');
  });

  it('that it runs when it was tried again, and that it is blocked when that failed too', async () => {
    const retried = new History().failed().failed().says('blocked', [STEP]).says('running').failed();
    expect((await retried.progress()).step).toMatchObject({ state: 'running', failed: { code: 'KW301', tries: 1 } });
    const { step, blocked } = await retried.failed().progress();
    expect(step?.state).toBe('blocked');
    expect(blocked[0]?.blocking).toBe(2);
  });

  it('that a person is asked about it while it is tried, and no more when it is done', async () => {
    const asked = new History().failed({ waitedMs: 600_000 }).says('blocked', [STEP]);
    asked.add({ activityTaskScheduledEventAttributes: { activityId: STEP } });
    const { step, blocked } = await asked.progress();
    expect(step?.state).toBe('blocked');
    expect(blocked).toMatchObject([{ step: STEP, retrying: true, blocking: 1 }]);
    const result = { payloads: [defaultPayloadConverter.toPayload({ outcome: 'changed', summary: '' })] };
    asked.add({ activityTaskCompletedEventAttributes: { scheduledEventId: 4 as never, result: result as never } });
    const done = await asked.progress();
    expect(done.step?.state).toBe('done');
    expect(done.blocked).toEqual([]);
  });
});
