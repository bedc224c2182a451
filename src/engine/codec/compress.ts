import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { defaultPayloadConverter, METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/encoding.js';
import { PayloadMessage } from './payload-message.js';

const ENCODING = 'binary/gzip';

/**
 * Bytes from which a payload is compressed: the input of a run of some thirty hosts. Smaller ones stay readable in
 * Temporal's UI, and none of them comes near a limit.
 */
const FROM_BYTES = 64 * 1024;

/** No payload of ours comes near it, for a server takes 2 MiB; it bounds what a damaged one can do. */
const LARGEST_OUTPUT = 256 * 1024 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Bytes of a value as a payload: what of it reaches a server. */
export async function payloadBytes(value: unknown): Promise<number> {
  const payloads = await new GzipCodec().encode([defaultPayloadConverter.toPayload(value) as Payload]);
  return payloads.reduce((sum, payload) => sum + (payload.data?.length ?? 0), 0);
}

/**
 * Compresses large payloads. Plans are many steps that differ in a few words, so one of a thousand hosts shrinks to a
 * twentieth, and stays far from the 2 MiB that a server takes as one payload and the 4 MiB that it takes as one message.
 */
export class GzipCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        if ((payload.data?.length ?? 0) < FROM_BYTES) return payload;
        return {
          metadata: { [METADATA_ENCODING_KEY]: encode(ENCODING) },
          data: await compress(PayloadMessage.encode(payload).finish()),
        };
      }),
    );
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(
      payloads.map(async (payload) => {
        const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
        if (encoding === undefined || decode(encoding) !== ENCODING) return payload;
        const plain = await decompress(payload.data ?? Buffer.alloc(0), { maxOutputLength: LARGEST_OUTPUT });
        return PayloadMessage.decode(plain);
      }),
    );
  }
}
