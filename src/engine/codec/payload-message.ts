import { createRequire } from 'node:module';

/**
 * Required, not imported: for an import Node reads through all of this generated CommonJS code once more, to find its exports. That
 * is a seventh of what every command needs to start.
 */
const protobuf = createRequire(import.meta.url)('@temporalio/proto') as typeof import('@temporalio/proto');

/** How a payload with its metadata is written as bytes, to be compressed or encrypted as a whole. */
export const PayloadMessage = protobuf.temporal.api.common.v1.Payload;
