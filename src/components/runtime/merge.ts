import { stringify } from 'smol-toml';
import { KubewrightError, messageOf } from '../../errors.js';

export type Table = { [key: string]: unknown };

/** Tables merge key by key; anything else, lists included, is replaced, and null takes a generated key away. */
export function merge(base: Table, over: Table): Table {
  const merged: Table = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isTable(value) ? merge(isTable(below) ? below : {}, value) : value;
  }
  return merged;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A runtime's configuration as TOML. @throws KubewrightError KW450 for what TOML cannot say */
export function toToml(table: Table): string {
  try {
    return stringify(table).trimEnd();
  } catch (cause) {
    throw new KubewrightError('KW450', `"runtime.config" cannot be written as TOML: ${messageOf(cause)}`, {
      hint: 'TOML has no null inside of lists. Mend runtime.config in cluster.yaml.',
      cause,
    });
  }
}
