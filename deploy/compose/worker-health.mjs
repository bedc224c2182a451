// Health check of the worker's container: exit code 0 when this container's worker has asked Temporal for work lately. A
// process that lives is not enough: one that cannot reach its server carries nothing out.
import { hostname } from 'node:os';
import { readIdentity } from '../../dist/src/engine/worker/identity.js';
import { connect } from '../../dist/src/index.js';

/** temporal.api.enums.v1.TaskQueueType of steps. */
const ACTIVITY = 2;
/** A worker asks anew after a minute at the latest, and the server notes when. */
const LATELY_MS = 90_000;

const engine = await connect({ connectTimeoutMs: 5_000 });
try {
  const { pollers } = await engine.client.workflowService.describeTaskQueue({
    namespace: engine.settings.namespace,
    taskQueue: { name: engine.taskQueue },
    taskQueueType: ACTIVITY,
  });
  const ours = (pollers ?? []).filter(({ identity }) => readIdentity(identity ?? '').machine === hostname());
  const asked = ours.map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
  const healthy = asked.some((time) => Date.now() - time < LATELY_MS);
  console.log(healthy ? 'the worker asks for work' : `no worker of ${hostname()} asks for work`);
  process.exitCode = healthy ? 0 : 1;
} finally {
  await engine.close();
}
