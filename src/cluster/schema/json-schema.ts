import { z } from 'zod';
import { clusterFile } from './file.js';

/** The part of JSON Schema (draft 7) that is made here. */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  pattern?: string;
  [keyword: string]: unknown;
}

/**
 * JSON Schema of `cluster.yaml` for editors, draft 7 (what the YAML language servers speak). It describes the file as it is
 * written; cross-checks between keys are beyond it.
 */
export function clusterJsonSchema(): JsonSchema {
  return z.toJSONSchema(clusterFile, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => foldNull(jsonSchema as JsonSchema),
  }) as JsonSchema;
}

/** `anyOf: [X, null]` becomes `type: [x, null]`: shorter to read, and editors complete keys below it. */
function foldNull(schema: JsonSchema): void {
  const [form, none, ...more] = schema.anyOf ?? [];
  if (form === undefined || none?.type !== 'null' || more.length > 0) return;
  if (typeof form.type !== 'string') return;
  delete schema.anyOf;
  Object.assign(schema, form, { type: [form.type, 'null'] });
}
