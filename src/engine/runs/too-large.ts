import { KubewrightError } from '../../errors.js';
import type { RunInput } from '../../plan/run.js';
import { payloadBytes } from '../codec/compress.js';

const MIB = 1024 * 1024;

/** What a Temporal server takes as one payload, unless its dynamic configuration says otherwise (limit.blobSize.error). */
const LARGEST_PAYLOAD = 2 * MIB;

type Planned = Pick<RunInput, 'cluster' | 'plan'>;

/** @throws KubewrightError KW560 for what no server takes as it is shipped: cluster and plan stand in one payload */
export async function refuseHuge(input: Planned): Promise<void> {
  if ((await payloadBytes(input)) > LARGEST_PAYLOAD) throw await tooLarge(input);
}

/** What a refused start becomes: KW560 where the server says that the input is too large, else what it was. */
export async function explainedStart(error: unknown, input: Planned): Promise<unknown> {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    // Of the server's limit for a payload, and of gRPC's for a message on the way, which a proxy may have lowered.
    if (/blob data size exceeds limit|received message larger than max/i.test(at.message))
      return await tooLarge(input, error);
  }
  return error;
}

async function tooLarge(input: Planned, cause?: unknown): Promise<KubewrightError> {
  const size = ((await payloadBytes(input)) / MIB).toFixed(1);
  const { name, hosts } = input.cluster;
  const message = `${name} is too large for a Temporal server: cluster and plan of ${hosts.length} hosts are ${size} MiB when compressed; nothing was started`;
  return new KubewrightError('KW560', message, {
    hint:
      'A server takes 2 MiB, enough for several thousand hosts. Make cluster.yaml smaller: shorter kubeadm patches and ' +
      'certificates, fewer settings of single hosts.',
    cause,
  });
}
