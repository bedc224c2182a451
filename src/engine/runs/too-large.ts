import { KubewrightError } from '../../errors.js';
import type { RunInput } from '../../plan/run.js';

const MIB = 1024 * 1024;

/**
 * No Temporal server takes a larger message (gRPC's limit, as Temporal ships it), and Temporal's client would try it again for
 * forty seconds. What a server takes as one input is less, 2 MiB unless it is told otherwise, and is the server's to say.
 */
const LARGEST_MESSAGE = 4 * MIB;

/** @throws KubewrightError KW560 for an input that no server takes */
export function refuseHuge(input: RunInput): void {
  if (sizeOf(input) > LARGEST_MESSAGE) throw tooLarge(input);
}

/** What a refused start becomes: KW560 where the server says that the input is too large, else what it was. */
export function explainedStart(error: unknown, input: RunInput): unknown {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    // Of the server's limit for a payload, and of gRPC's for a message on the way, which a proxy may have lowered.
    if (/blob data size exceeds limit|received message larger than max/i.test(at.message))
      return tooLarge(input, error);
  }
  return error;
}

function tooLarge(input: RunInput, cause?: unknown): KubewrightError {
  const size = (sizeOf(input) / MIB).toFixed(1);
  const { name, hosts } = input.cluster;
  const message = `the install of ${name} is too large for the Temporal server: cluster and plan of ${hosts.length} hosts are ${size} MiB; nothing was started`;
  return new KubewrightError('KW560', message, {
    hint:
      'Make cluster.yaml smaller: fewer hosts, fewer labels and settings of single hosts, shorter kubeadm patches. A server takes 2 MiB ' +
      'unless limit.blobSize.error in its dynamic configuration says otherwise, and never more than 4.',
    cause,
  });
}

function sizeOf(input: RunInput): number {
  return Buffer.byteLength(JSON.stringify(input));
}
