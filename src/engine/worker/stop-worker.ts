import { type NativeConnection, Worker } from '@temporalio/worker';
import { stopQueueOf } from '../../workflows/engine/queues.js';

/** More hosts at once than an abort will ever ask: each only says "stop", and waits for a host that may be silent. */
const STOPS_AT_ONCE = 200;

/**
 * The worker that carries out what an abort asks for, beside the one that carries out steps: it has a queue and slots of
 * its own, so an abort never waits for the steps that it is to end.
 */
export function stopWorkerOf(
  steps: Worker,
  parts: { connection: NativeConnection; activities: object | undefined },
): Promise<Worker> {
  const { connection, activities = {} } = parts;
  const stopStep = 'stopStep' in activities ? activities.stopStep : undefined;
  return Worker.create({
    connection,
    namespace: steps.options.namespace,
    identity: steps.options.identity,
    taskQueue: stopQueueOf(steps.options.taskQueue),
    dataConverter: steps.options.dataConverter,
    activities: { stopStep },
    maxConcurrentActivityTaskExecutions: STOPS_AT_ONCE,
    shutdownGraceTime: steps.options.shutdownGraceTime,
    shutdownForceTime: steps.options.shutdownForceTime,
  });
}

/** Two workers that live and drain as one. */
export function runTogether(first: Worker, second: Worker): Pick<Worker, 'getState' | 'shutdown' | 'run'> {
  const both = [first, second];
  const shutdown = (): void => {
    for (const worker of both) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    getState: () => first.getState(),
    shutdown,
    run: async () => {
      // One that fails takes the other with it: half a worker would only look like one.
      const running = both.map((worker) => worker.run().finally(shutdown));
      await Promise.all(running);
    },
  };
}
