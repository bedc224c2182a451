import type { z } from 'zod';
import type { Check } from '../cluster/checks/index.js';
import type { ReadText } from '../cluster/documents.js';
import type { Path } from '../cluster/path.js';
import type { Finding } from '../cluster/report.js';

/** What is around a section while it is resolved. */
export interface Surroundings {
  /** A path as it is written, from where the file lies. */
  path(written: string): string;
  /** Reads a text that the section names, at once. */
  read: ReadText;
  warn(place: Path, code: string, finding: Finding): void;
  /** Where programs come from that have a `source` of their own and do not say which: it goes by the source of artifacts. */
  programSource: ProgramSource;
}

export type ProgramSource = 'bundle' | 'distribution';

/** Something that only bundles have. */
export interface OnlyInBundle {
  /** Key of the section that asks for it. */
  key: string;
  /** What may stand there with another source of artifacts, as the rest of "expected …". */
  instead: string;
}

/** What a choice adds to its section of `cluster.yaml`: the client's part, `schema.ts` in its folder. */
export interface ChoiceSchema {
  /** For editors and the reference: what the choice is. Left out where the kind says it all. */
  description?: string;
  /** Keys that it adds to the section, each optional. */
  keys: z.ZodRawShape;
  /**
   * What these keys become, defaults filled in; what was wrong in the file is undefined.
   *
   * @param section the section as it is written
   */
  // biome-ignore lint/suspicious/noExplicitAny: each choice takes the section with its own keys
  resolve(section: any, surroundings: Surroundings): Record<string, unknown>;
  /** Keys of other choices that this one cannot have, and why not, as the end of a sentence. */
  lacks?: Readonly<Record<string, string>>;
  /** Rules between keys that hold where this choice was made. */
  checks?: readonly Check[];
  /**
   * What it takes from a bundle and from nowhere else; undefined where it takes nothing. Left out: it never does.
   *
   * @param section the section as it was resolved
   */
  // biome-ignore lint/suspicious/noExplicitAny: each choice takes the section with its own keys
  onlyInBundle?(section: any): OnlyInBundle | undefined;
}

export interface ArtifactSchema extends ChoiceSchema {
  /** Where programs come from that have a `source` of their own and do not say which. */
  programSource: ProgramSource;
}

export interface PodNetworkSchema extends ChoiceSchema {
  /**
   * Namespaces of its pods, which need rights that no other pod should have.
   *
   * @param network the section as it was resolved
   */
  // biome-ignore lint/suspicious/noExplicitAny: each choice takes the section with its own keys
  namespaces(network: any): string[];
}

export interface LoadBalancerSchema extends ChoiceSchema {
  /** Keys that it takes in `spec.endpoint`, beside `port`. */
  endpointKeys: z.ZodRawShape;
  /** What the key that bears the API's address holds, as the rest of "expected …"; the key must be written. */
  addressForm: string;
  /** Default of `endpoint.port`. */
  endpointPort: number;
  /** What these keys become. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  resolveEndpoint(endpoint: any): Record<string, unknown>;
}
