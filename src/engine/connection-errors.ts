import type { Connection } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { KubewrightError, messageOf } from '../errors.js';
import type { ConnectionSettings } from './types.js';

/** A client's or a worker's connection: both can ask. */
type Asking = Pick<Connection | NativeConnection, 'workflowService'>;

/**
 * The namespace's own id: no other one has it, on this server or on another, whatever its name.
 *
 * @throws KubewrightError KW503 when the namespace does not exist, KW502 or KW505 when the server does not answer that
 */
export async function requireNamespace(connection: Asking, settings: ConnectionSettings): Promise<string> {
  const { namespace } = settings;
  try {
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
    return namespaceInfo?.id || `${settings.address}/${namespace}`;
  } catch (cause) {
    if (grpcCode(cause) !== GRPC.NOT_FOUND) throw connectionError(cause, settings, 5_000);
    throw new KubewrightError('KW503', `The Temporal server at ${settings.address} has no namespace ${namespace}`, {
      hint: `Make it with \`temporal operator namespace create --namespace ${namespace} --retention 90d\`, or give --namespace.`,
      cause,
    });
  }
}

/** gRPC status codes that tell whose fault it is. */
const GRPC = { NOT_FOUND: 5, PERMISSION_DENIED: 7, UNAUTHENTICATED: 16 };

function grpcCode(error: unknown): number | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'number') return at.code;
  }
  return undefined;
}

/** Whose fault it is that a server is not reached: its address, or what it thinks of us. */
export function connectionError(cause: unknown, settings: ConnectionSettings, waitedMs: number): KubewrightError {
  const code = grpcCode(cause);
  if (code === GRPC.PERMISSION_DENIED || code === GRPC.UNAUTHENTICATED) {
    return new KubewrightError('KW505', `The Temporal server at ${settings.address} refused us: ${messageOf(cause)}`, {
      hint: 'Check TEMPORAL_API_KEY, the client certificate, and what they are allowed in this namespace.',
      cause,
    });
  }
  const tls = settings.tls === undefined || settings.tls === false ? 'without TLS' : 'with TLS';
  return new KubewrightError(
    'KW502',
    `No Temporal server answers at ${settings.address} (${tls}) within ${Math.round(waitedMs / 1000)} s`,
    {
      hint: 'Check address, port, TLS and firewall, or leave the address out to use the embedded server.',
      transient: true,
      cause,
    },
  );
}
