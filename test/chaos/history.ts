import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { milliseconds } from '../../src/engine/runs/history-fold.js';
import { serverRecord } from './processes.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Pending = temporal.api.workflow.v1.IPendingActivityInfo;

/** A step's activity at one moment, as the server tells it. */
export interface PendingStep {
  id: string;
  /** True while a worker has it. */
  started: boolean;
  /** Milliseconds since the epoch. */
  lastStartedAt: number;
  /** When its last heartbeat came in. */
  lastHeartbeatAt: number;
  attempt: number;
}

/** What a run's history says of one step. Times are milliseconds since the epoch. */
export interface StepTimes {
  scheduledAt: number;
  completedAt?: number;
}

/**
 * Reads an install's history from the embedded server over a connection of its own: it neither starts what has died nor
 * keeps anything alive, as the product's own client would.
 */
export class InstallHistory {
  #connection: Connection | undefined;
  #address = '';
  #lastEvent = 0;
  #runId = '';
  readonly #stepOfEvent = new Map<number, string>();
  /** By step id. */
  readonly steps = new Map<string, StepTimes>();
  /** Steps in the order in which they were first scheduled. */
  readonly order: string[] = [];
  /** How the newest run ended; undefined while it runs. */
  closed: 'completed' | 'failed' | undefined;

  constructor(
    private readonly stateDir: string,
    private readonly cluster: string,
  ) {}

  /**
   * Takes in what is new. Returns false when the server does not answer, or has no such install yet: a normal moment
   * here.
   */
  async refresh(): Promise<boolean> {
    return (
      (await this.#ask(async (connection) => {
        const execution = { workflowId: `cluster/${this.cluster}` };
        const described = await connection.workflowService.describeWorkflowExecution({
          namespace: 'default',
          execution,
        });
        const runId = described.workflowExecutionInfo?.execution?.runId ?? '';
        if (runId !== this.#runId) this.#forget(runId);
        if (Number(described.workflowExecutionInfo?.historyLength ?? 0) <= this.#lastEvent) return true;
        let nextPageToken: Uint8Array | undefined;
        do {
          const page: temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse =
            await connection.workflowService.getWorkflowExecutionHistory({
              namespace: 'default',
              execution: { ...execution, runId },
              nextPageToken,
            });
          for (const event of page.history?.events ?? []) this.#take(event);
          nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
        } while (nextPageToken !== undefined);
        return true;
      })) ?? false
    );
  }

  /** Steps whose activity has not ended; undefined when the server does not answer. */
  async pending(): Promise<PendingStep[] | undefined> {
    return await this.#ask(async (connection) => {
      const execution = { workflowId: `cluster/${this.cluster}` };
      const described = await connection.workflowService.describeWorkflowExecution({ namespace: 'default', execution });
      return (described.pendingActivities ?? []).map(pendingStep);
    });
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }

  /** A new run of the same cluster, after a deleted database or a second install, is read from its beginning. */
  #forget(runId: string): void {
    this.#runId = runId;
    this.#lastEvent = 0;
    this.#stepOfEvent.clear();
    this.steps.clear();
    this.order.length = 0;
    this.closed = undefined;
  }

  #take(event: HistoryEvent): void {
    const id = Number(event.eventId);
    if (id <= this.#lastEvent) return;
    this.#lastEvent = id;
    const at = milliseconds(event.eventTime);
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const step = scheduled.activityId ?? '';
      this.#stepOfEvent.set(id, step);
      if (this.steps.has(step)) return;
      this.steps.set(step, { scheduledAt: at });
      this.order.push(step);
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const times = this.steps.get(this.#stepOfEvent.get(Number(completed?.scheduledEventId)) ?? '');
    if (times) times.completedAt = at;
    if (event.workflowExecutionCompletedEventAttributes) this.closed = 'completed';
    else if (event.workflowExecutionFailedEventAttributes) this.closed = 'failed';
    else if (event.workflowExecutionTerminatedEventAttributes) this.closed = 'failed';
  }

  async #ask<T>(question: (connection: Connection) => Promise<T>): Promise<T | undefined> {
    try {
      const record = await serverRecord(this.stateDir);
      const address = `127.0.0.1:${record?.port ?? 0}`;
      if (this.#connection === undefined || address !== this.#address) {
        await this.close();
        this.#connection = await Connection.connect({ address, connectTimeout: 2_000, channelArgs: QUICK });
        this.#address = address;
      }
      const connection = this.#connection;
      return await connection.withDeadline(Date.now() + 3_000, () => question(connection));
    } catch {
      await pause(100);
      return undefined;
    }
  }
}

/** gRPC's own pauses between two attempts to connect grow to minutes. */
const QUICK = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 };

function pendingStep(pending: Pending): PendingStep {
  return {
    id: pending.activityId ?? '',
    // PENDING_ACTIVITY_STATE_STARTED
    started: pending.state === 2,
    lastStartedAt: milliseconds(pending.lastStartedTime),
    lastHeartbeatAt: milliseconds(pending.lastHeartbeatTime),
    attempt: pending.attempt ?? 1,
  };
}
