import { z } from 'zod';

export const OWNER_PATH = '/etc/kubewright/owner.json';

/**
 * `/etc/kubewright/owner.json`: which cluster a host belongs to. It outlives Temporal's database and the worker, so the
 * hosts themselves tell a second installation, of this or of another cluster, whose they are.
 */
const ownerRecord = z.object({
  /** Name of the cluster. */
  cluster: z.string(),
  /** Name of the host in that cluster: its node name. */
  host: z.string(),
  /** Its address in that cluster. */
  address: z.string(),
  /** `ADDRESS:port` of that cluster's API. */
  endpoint: z.string(),
  /** `sha256:` and the hexadecimal digest of the cluster's CA certificate (DER), or null before there is one. */
  caFingerprint: z.string().nullable(),
});

export type OwnerRecord = z.infer<typeof ownerRecord>;

/** The record as a file. Keys stand in a fixed order: the same record is the same text. */
export function renderOwner({ cluster, host, address, endpoint, caFingerprint }: OwnerRecord): string {
  return `${JSON.stringify({ cluster, host, address, endpoint, caFingerprint }, null, 2)}\n`;
}

/** Undefined when the text is not a record: cut short, or written by something else. */
export function parseOwner(text: string): OwnerRecord | undefined {
  try {
    return ownerRecord.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
