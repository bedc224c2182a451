import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { hashOf } from '../../../cluster/hash.js';
import type { Cluster } from '../../../cluster/types.js';
import { OPERATION_NAMES, type Operation } from '../../../plan/operations.js';
import { PLAN_FORMAT } from '../../../plan/run.js';

/** The applied spec on each control plane, for root alone. Hosts of external etcd have none. */
export const APPLIED_PATH = '/etc/kubewright/applied.json';

export const APPLIED_NAMESPACE = 'kube-system';
export const APPLIED_CONFIG_MAP = 'kubewright-applied-spec';

/**
 * Newest format of the record itself. One that is newer is refused by name: nobody may carry out half of what it says. A record is
 * written in the oldest format that can say it: 2 is one with `toBeWiped`.
 */
export const APPLIED_FORMAT = 2;

function formatOf({ toBeWiped = [] }: Pick<AppliedSpec, 'toBeWiped'>): number {
  return toBeWiped.length > 0 ? 2 : 1;
}

/**
 * What was last applied to a cluster: written by the last step of every operation that changes it, read by whatever comes
 * later. It tells what hosts cannot: which hosts were part of the cluster, which settings came from the file, by which
 * version. It is no command: the hosts say what is so, and cluster.yaml what shall be.
 *
 * It holds no secret, for a `Cluster` holds none.
 */
export interface AppliedSpec {
  /** Grows by one with each record that says something new: of two copies the one with more was written later. */
  generation: number;
  /** Which operation applied it. */
  operation: Operation;
  /** What the actions of its plan meant (`PLAN_FORMAT`). */
  planFormat: number;
  /** Build of Kubewright that applied it: version and commit. */
  build: string;
  /** The run that wrote it; empty for one that was written outside of Temporal. */
  run: string;
  /** When it was written, by the worker's clock: ISO 8601, UTC. */
  at: string;
  /** Names of workers that a person had left out by `skip`: they stand in `cluster`, and may be no part of it. */
  leftOut: string[];
  /** Hosts that were taken out of the cluster and could not be reached then: what is on them stays until somebody wipes them. */
  toBeWiped?: WipeLater[];
  /** The whole cluster as it was resolved from cluster.yaml, without the lines of the file. */
  cluster: Cluster;
}

/** A host that is to be wiped before it is used again. */
export interface WipeLater {
  name: string;
  address: string;
}

/** What of a record counts when two are compared: the same was applied, whoever wrote it down, and when. */
type Content = Pick<AppliedSpec, 'planFormat' | 'build' | 'leftOut' | 'toBeWiped' | 'cluster'>;

/** Whether both say that the same was applied, in the same way and by the same version. */
export function saysTheSame(a: Content, b: Content): boolean {
  return contentHash(a) === contentHash(b);
}

function contentHash({ planFormat, build, leftOut, toBeWiped = [], cluster }: Content): string {
  return hashOf({ planFormat, build, leftOut: [...leftOut].sort(), toBeWiped, cluster: withoutPlaces(cluster) });
}

/** Lines of a file are no part of what a cluster is. */
export function withoutPlaces({ places: _, ...cluster }: Cluster): Cluster {
  return cluster;
}

/** What a copy turned out to be. */
export type ReadCopy =
  | { is: 'valid'; spec: AppliedSpec; checksum: string }
  /** What it says is not what was written: somebody changed it, or it was cut short. */
  | { is: 'edited' }
  /** A newer version of Kubewright wrote it, in a way that this one does not know. */
  | { is: 'newer'; build: string };

const header = z.object({ format: z.number().int(), planFormat: z.number().int(), build: z.string() });

const record = header.extend({
  checksum: z.string(),
  generation: z.number().int().positive(),
  operation: z.enum(OPERATION_NAMES),
  run: z.string(),
  at: z.string(),
  leftOut: z.array(z.string()),
  toBeWiped: z.array(z.object({ name: z.string(), address: z.string() })).optional(),
  // What is in it the checksum vouches for: it was a Cluster when it was written, by this format.
  cluster: z.custom<Cluster>((value) => typeof value === 'object' && value !== null),
});

/** The record as a file: for people to read, with the checksum of all that it says. */
export function renderApplied(spec: AppliedSpec): string {
  const { generation, operation, planFormat, build, run, at, leftOut, toBeWiped = [], cluster } = spec;
  const wipe = toBeWiped.length > 0 ? { toBeWiped } : {};
  const said = { generation, operation, planFormat, build, run, at, leftOut, ...wipe, cluster: withoutPlaces(cluster) };
  return `${JSON.stringify({ format: formatOf(said), checksum: checksumOf(said), ...said }, null, 2)}\n`;
}

function checksumOf(said: AppliedSpec): string {
  return `sha256:${hashOf({ format: formatOf(said), ...said })}`;
}

/** Reads a copy of the record. Never throws: what cannot be understood was changed by somebody. */
export function parseApplied(text: string): ReadCopy {
  try {
    const value: unknown = JSON.parse(text);
    const { format, planFormat, build } = header.parse(value);
    if (format > APPLIED_FORMAT || planFormat > PLAN_FORMAT) return { is: 'newer', build };
    const { format: _, checksum, ...spec } = record.parse(value);
    return checksumOf(spec) === checksum ? { is: 'valid', spec, checksum } : { is: 'edited' };
  } catch {
    return { is: 'edited' };
  }
}

/** Above this a ConfigMap holds the record compressed: it may have 1 MiB, and a thousand hosts need about as much. */
const MOST_PLAIN_BYTES = 256 * 1024;

const PLAIN_KEY = 'applied.json';
const COMPRESSED_KEY = 'applied.json.gz';

/** The ConfigMap that holds a record, as JSON for kubectl. */
export function renderConfigMap(text: string): string {
  const plain = Buffer.byteLength(text) <= MOST_PLAIN_BYTES;
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: APPLIED_CONFIG_MAP,
      namespace: APPLIED_NAMESPACE,
      labels: { 'app.kubernetes.io/managed-by': 'kubewright' },
    },
    ...(plain
      ? { data: { [PLAIN_KEY]: text } }
      : { binaryData: { [COMPRESSED_KEY]: gzipSync(text, { level: 9 }).toString('base64') } }),
  });
}

/** The record in a ConfigMap, given as JSON; what is none gives an empty text, which no record is. */
export function textOfConfigMap(json: string): string {
  try {
    const { data, binaryData } = JSON.parse(json) as Record<string, Record<string, string> | undefined>;
    const compressed = binaryData?.[COMPRESSED_KEY];
    if (compressed === undefined) return data?.[PLAIN_KEY] ?? '';
    return gunzipSync(Buffer.from(compressed, 'base64')).toString('utf8');
  } catch {
    return '';
  }
}
