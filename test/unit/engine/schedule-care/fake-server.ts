import type { LoadedDataConverter } from '@temporalio/common';
import { type CaringWorker, KeptSchedules } from '../../../../src/engine/schedule-care/kept-schedules.js';

type Stored = { schedule: Record<string, never>; createTime: { seconds: number; nanos: number } };

const missing = () => Object.assign(new Error('not found'), { code: 5 });
const stamp = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 });

/** The part of a Temporal server that keeps schedules, with a clock of its own. None of its schedules ever starts anything. */
export class FakeServer {
  readonly calls: string[] = [];
  readonly log: string[] = [];
  readonly schedules = new Map<string, Stored>();
  /** When the last check of the cluster ended. */
  heard: number | undefined;
  /** Whether a check is under way. */
  isChecking = false;
  /** Queues on which somebody works. */
  readonly polled = new Set<string>();
  /** Thrown by the list of schedules. */
  fault: unknown;
  /** Whether whoever makes a schedule anew is killed once it is deleted. */
  killsInBetween = false;
  /** How far its clock is behind the worker's. */
  behindMs = 0;
  now = Date.UTC(2026, 2, 2, 9, 30);

  add(id: string, { every = 300, paused = false, queue = 'kubewright' } = {}): void {
    const interval = [{ interval: { seconds: every } }];
    const schedule = {
      spec: { interval },
      state: { paused, notes: 'as it was' },
      action: { startWorkflow: { taskQueue: { name: queue }, input: { payloads: [{ data: 'x' }] } } },
      policies: { overlapPolicy: 1 },
    };
    this.schedules.set(id, { schedule: schedule as never, createTime: stamp(this.now) });
  }

  queueOf(id: string): string | undefined {
    const { schedule } = this.schedules.get(id) ?? {};
    return (schedule as { action?: { startWorkflow?: { taskQueue?: { name: string } } } })?.action?.startWorkflow
      ?.taskQueue?.name;
  }

  private readonly workflowService = {
    listSchedules: async () => {
      if (this.fault !== undefined) throw this.fault;
      return { schedules: [...this.schedules.keys()].map((scheduleId) => ({ scheduleId })) };
    },
    describeSchedule: async ({ scheduleId }: { scheduleId: string }) => {
      const stored = this.schedules.get(scheduleId);
      if (stored === undefined) throw missing();
      return { schedule: stored.schedule, info: { createTime: stored.createTime } };
    },
    createSchedule: async ({ scheduleId, schedule }: { scheduleId: string; schedule: never }) => {
      if (this.schedules.has(scheduleId)) throw Object.assign(new Error('there'), { code: 6 });
      this.calls.push(`create ${scheduleId}`);
      this.schedules.set(scheduleId, { schedule, createTime: stamp(this.now - this.behindMs) });
    },
    updateSchedule: async ({ scheduleId, schedule }: { scheduleId: string; schedule: never }) => {
      this.calls.push(`update ${scheduleId}`);
      this.schedules.set(scheduleId, { schedule, createTime: stamp(this.now) });
    },
    deleteSchedule: async ({ scheduleId }: { scheduleId: string }) => {
      this.calls.push(`delete ${scheduleId}`);
      this.schedules.delete(scheduleId);
      if (this.killsInBetween) throw new Error('killed');
    },
    listWorkflowExecutions: async ({ query }: { query: string }) => {
      const isOpen = query.includes("'Running'");
      const execution = { workflowId: 'check/demo', runId: 'r' };
      if (isOpen) return { executions: this.isChecking ? [{ execution }] : [] };
      return { executions: this.heard === undefined ? [] : [{ execution, closeTime: stamp(this.heard) }] };
    },
    describeTaskQueue: async ({ taskQueue }: { taskQueue: { name: string } }) => ({
      pollers: this.polled.has(taskQueue.name)
        ? [{ identity: '1@elsewhere kubewright/1', lastAccessTime: stamp(Date.now()) }]
        : [],
    }),
  };

  /** A worker that keeps these schedules for so many minutes; `each` is called before each look. */
  async keep(minutes: number, fields: Partial<CaringWorker> = {}, each: () => void = () => {}): Promise<void> {
    const over = new AbortController();
    const end = this.now + minutes * 60_000;
    await new KeptSchedules({
      workflowService: this.workflowService as never,
      namespace: 'default',
      identity: 'test',
      taskQueue: 'kubewright',
      converter: {} as LoadedDataConverter,
      adopts: false,
      log: (line) => this.log.push(line),
      now: () => this.now,
      wait: async (ms) => {
        this.now += ms;
        each();
        if (this.now > end) over.abort();
      },
      ...fields,
    }).keep(over.signal);
  }
}
