import { Connection } from '@temporalio/client';
import Long from 'long';

/**
 * How long a finished install's history is kept in namespaces that Kubewright makes. Temporal's own default is one to
 * three days.
 */
const RETENTION_DAYS = 90;
const SECONDS_A_DAY = 24 * 60 * 60;

/** Sets the embedded server's retention where it differs. Kept in its database, so this writes once. */
export async function retain(address: string, namespace = 'default'): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 5_000 });
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace });
    const wanted = RETENTION_DAYS * SECONDS_A_DAY;
    if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) === wanted) return;
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: { seconds: Long.fromNumber(wanted) } },
    });
  } finally {
    await connection.close();
  }
}
